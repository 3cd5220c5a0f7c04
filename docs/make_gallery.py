"""Draws the gallery of reports in ``docs/gallery`` from the samples, in a real browser: ``python -m docs.make_gallery``.

Needs Chromium and the development extras. Reports are made the way ``tanba verify --report`` makes them, in three
languages, as of now; pictures are WebP, so the folder stays small. Nothing is drawn by hand.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

import labeler
from samples.authority import Authority
from samples.make_samples import disclosure
from tanba.asset import Asset
from tanba.i18n import LANGUAGES, NAMES
from tanba.model import Involvement
from tanba.report import VerificationReport
from tanba.trust import Purpose, TrustList, TrustStore
from verifier import Settings, verify
from verifier.procedure import verify_asset
from verifier.render import html, summary
from verifier.render.preview import preview_of_asset

HOME = Path(__file__).resolve().parent
OUT = HOME / "gallery"
IMAGES = HOME.parent / "samples" / "images"
WIDTH = 1000
TALLEST = 2_000
QUALITY = 62
TEXT = (
    "Бұл мәтінді жасанды интеллект жүйесі жазды.\n\n"
    "Этот текст написала система искусственного интеллекта.\n\n"
    "This text was written by an AI system. Its label is invisible: it stands between the letters.\n"
)


@dataclass(frozen=True)
class Shown:
    """One report of the gallery."""

    name: str
    about: str
    report: VerificationReport
    asset: Asset


def samples(store: TrustStore) -> Iterator[Shown]:
    """The pictures of ``samples/images``, one for each thing a reader can be told."""
    for name, file, about in (
        ("trusted", "generated.jpg", "Labelled as AI-made; a list that the reader chose vouches for the signer."),
        ("unknown", "unknown-signer.jpg", "Labelled and intact; nobody the reader chose vouches for the signer."),
        ("expired", "expired.jpg", "The certificate ran out and there is no time stamp: not the same as forged."),
        ("tampered", "tampered.jpg", "One bit of the picture was changed after signing."),
        ("stripped", "stripped.jpg", "A copy that lost its label, as messengers make them."),
        ("partly-ai", "composite.webp", "A collage with an AI-made part."),
        ("history", "history.jpg", "An edit that keeps the history of the picture it started from."),
    ):
        asset = Asset.from_path(IMAGES / file)
        report = verify(IMAGES / file, Settings(trust=store, thumbnails=True))
        command = f"tanba verify {file} --trust samples=samples-root.pem --report report.html"
        assert report.basis is not None
        yield Shown(name, about, replace(report, basis=replace(report.basis, command=command)), asset)


def text() -> Shown:
    """A text labelled here and now with a throw-away key; the label is invisible characters (C2PA 2.4 A.8)."""
    authority = Authority("Sample Newsroom")
    asset = Asset.from_bytes(TEXT.encode(), name="note.txt")
    labelled = labeler.label(asset, disclosure(Involvement.GENERATED), signer=authority.signer("Tanba Samples"))
    made = Asset.from_bytes(labelled.content or b"", name="note.txt")
    trust = TrustStore((TrustList("newsroom", Purpose.MANIFEST, authority.root_pem.decode(), date="2026-11-01"),))
    return Shown(
        "text",
        "A text whose label is invisible characters between its letters.",
        verify_asset(made, Settings(trust=trust)),
        made,
    )


def pages(shown: list[Shown]) -> Iterator[tuple[str, str, str]]:
    """File name, page, caption for every picture."""
    for item in shown:
        preview = preview_of_asset(item.asset)
        for lang in LANGUAGES:
            yield f"{item.name}-{lang}", html.render(item.report, lang=lang, preview=preview), item.about
    for lang in LANGUAGES:
        rows = [summary.row_of(item.asset.name or "-", lang, report=item.report) for item in shown]
        yield (
            f"folder-{lang}",
            "".join(summary.render(rows, lang, basis=shown[0].report.basis)),
            "A folder: what needs a person comes first.",
        )


def draw(shown: list[Shown]) -> dict[str, str]:
    """Write the pictures; return name -> caption."""
    from playwright.sync_api import sync_playwright

    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    captions: dict[str, str] = {}
    with sync_playwright() as engine, tempfile.TemporaryDirectory() as folder:
        browser = engine.chromium.launch(executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": 800}, color_scheme="light")
        for name, content, caption in pages(shown):
            file = Path(folder, f"{name}.html")
            file.write_text(content, "utf-8")
            page.goto(file.as_uri())
            picture = Image.open(io.BytesIO(page.screenshot(full_page=True)))
            picture = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST)))
            picture.save(OUT / f"{name}.webp", quality=QUALITY, method=6)
            captions[name] = caption
        browser.close()
    return captions


def index(captions: dict[str, str]) -> str:
    """The gallery's page: every report in three languages, English first."""
    lines = [
        "# Gallery",
        "",
        "Made by `python -m docs.make_gallery` from `samples/` in a real browser. Long pages are cut at the bottom.",
        "Kazakh and Russian are machine-made and await native review ([translations](../translations.md)).",
        "",
    ]
    for name in dict.fromkeys(item.rpartition("-")[0] for item in captions):
        lines += [f"## {name}", "", captions[f"{name}-en"], ""]
        lines += [f"![{name}: the report in {NAMES[lang]}]({name}-{lang}.webp)" for lang in LANGUAGES]
        lines.append("")
    return "\n".join(lines)


def main() -> None:
    OUT.mkdir(exist_ok=True)
    root = TrustList.from_file("samples", IMAGES / "samples-root.pem", purpose=Purpose.MANIFEST, date="2026-11-23")
    shown = [*samples(TrustStore((root,))), text()]
    (OUT / "README.md").write_text(index(draw(shown)), "utf-8")
    size = sum(path.stat().st_size for path in OUT.iterdir())
    sys.stdout.write(f"{len(list(OUT.iterdir()))} files, {size / 1024:.0f} KiB\n")


if __name__ == "__main__":
    main()
