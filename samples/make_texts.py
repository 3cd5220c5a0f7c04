"""Builds every text in ``samples/texts`` from the public-domain sources beside them, with throw-away keys.

    python -m samples.make_texts [FOLDER]

What each file shall read as stands in ``samples/texts/expected.toml``, written by hand; ``tests/samples`` checks the
tracked files and a fresh build against it.
"""

from __future__ import annotations

import html
import json
import sys
import unicodedata
from pathlib import Path

import labeler
from samples.authority import Authority
from tanba.asset import Asset
from tanba.model import Disclosure, Involvement
from tanba.text import wrapper
from tanba.text.journeys import JOURNEYS

HOME = Path(__file__).resolve().parent / "texts"
LANGUAGES = ("kk", "ru", "en")
ASSISTED = {"system": "ExampleLM", "system_version": "2", "provider": "Example LLP"}


class Maker:
    """One run: an authority, a signer and a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known = Authority("Tanba Samples")
        self.signer = self.known.signer("Sample Newsroom")

    def label(self, name: str, text: bytes, lang: str, **options: object) -> bytes:
        """Label a text and write it, with its sidecar when it has one."""
        said = Disclosure(involvement=Involvement.ASSISTED, languages=(lang,), **ASSISTED)  # type: ignore[arg-type]  # strings by field name
        made = labeler.label(
            Asset.from_bytes(text, name=name), said, signer=self.signer,
            options=labeler.LabelOptions(**options),  # type: ignore[arg-type]  # keyword values by field name
        )  # fmt: skip
        assert made.content is not None
        self.write(name, made.content)
        if made.receipt.carrier.value == "sidecar":
            self.write(f"{name}.c2pa", made.store)
        self.store = made.store
        return made.content

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)

    def run(self) -> None:
        """Everything that ``expected.toml`` names."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.write("samples-root.pem", self.known.root_pem)
        made: dict[str, bytes] = {}
        for lang in LANGUAGES:
            text = (HOME / "sources" / f"{lang}.txt").read_bytes()
            title, _, body = text.decode().partition("\n\n")
            paragraphs = "\n".join(f"<p>{html.escape(part.strip())}</p>" for part in body.split("\n\n"))
            page = (
                f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title></head>\n'
                f"<body>\n<h1>{html.escape(title)}</h1>\n{paragraphs}\n</body>\n</html>\n"
            )
            data = json.dumps({"title": title, "text": body}, ensure_ascii=False, indent=1)
            made[f"{lang}.txt"] = self.label(f"{lang}.txt", text, lang)
            made[f"{lang}.md"] = self.label(f"{lang}.md", f"# {title}\n\n{body}".encode(), lang)
            made[f"{lang}.html"] = self.label(f"{lang}.html", page.encode(), lang, visible=True)
            made[f"{lang}.json"] = self.label(f"{lang}.json", data.encode() + b"\n", lang)
        self._damage(made)
        self._sections(made)

    def _damage(self, made: dict[str, bytes]) -> None:
        kk, ru, en = (made[f"{lang}.txt"] for lang in LANGUAGES)
        text, mark = _parts(ru)
        self.write("kk-crlf.txt", _through("crlf", kk))
        self.write("kk-nfd.txt", _through("nfd", kk))
        self.write("ru-trimmed.txt", text.rstrip(b"\n") + mark)
        self.write("ru-word.txt", _changed(ru, "хересом", "коньяком"))
        self.write("ru-same-length.txt", _changed(ru, "приятеля", "инженера"))
        self.write("en-quotes.txt", _through("smart-quotes", en))
        self.write("en-rewrapped.txt", _through("rewrap", en))
        self.write("en-doubled.txt", en + _parts(en)[1])
        self.write("en-truncated.txt", en[:-2000])
        self.write("en-stripped.txt", _through("strip-variation-selectors", _through("strip-bom", en)))
        self.write("kk-word.md", _changed(made["kk.md"], "жарық", "қараңғы"))
        self.write("kk-crlf.md", _through("crlf", made["kk.md"]))
        self.write(
            "ru-hidden.md", made["ru.md"].replace(b"<!-- -----BEGIN", "<!-- скрытые слова -----BEGIN".encode(), 1)
        )
        block = made["ru.md"].split(b"\n", 1)[0]
        self.write("ru-twice.md", made["ru.md"] + block + b"\n")
        self.write("en-word.html", _changed(made["en.html"], "White Rabbit", "Black Rabbit"))
        start = made["en.html"].index(b'<script type="application/c2pa">')
        element = made["en.html"][start : made["en.html"].index(b"</script>", start) + 9]
        self.write("en-twice.html", made["en.html"].replace(element, element * 2))
        self.write("en-sanitized.html", made["en.html"].replace(element, b""))
        self.write("kk-word.json", _changed(made["kk.json"], "жарық", "қараңғы"))

    def _sections(self, made: dict[str, bytes]) -> None:
        source = (HOME / "sources" / "en.txt").read_bytes()
        self.label("en-sections.txt", source, "en", sections=True)
        self.write("en-sections.c2pa", self.store)
        (self.folder / "en-sections.txt").unlink()
        quoted = b"As the book has it:\n\n" + source.split(b"\n\n")[1] + b"\n\nSo much for sisters.\n"
        self.write("en-quoted.txt", quoted)
        self.label("en-chained.txt", made["en.txt"], "en")


def _parts(marked: bytes) -> tuple[bytes, bytes]:
    """A text and its wrapper."""
    span = wrapper.locate(marked).marks[0].span
    return span.cut(marked), marked[span.start : span.end]


def _changed(marked: bytes, old: str, new: str) -> bytes:
    before = unicodedata.normalize("NFC", old).encode()
    assert before in marked
    return marked.replace(before, unicodedata.normalize("NFC", new).encode(), 1)


def _through(name: str, raw: bytes) -> bytes:
    return JOURNEYS[name].go(raw, "text/plain")


if __name__ == "__main__":
    Maker(Path(sys.argv[1]) if len(sys.argv) > 1 else HOME).run()
