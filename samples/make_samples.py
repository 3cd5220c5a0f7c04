"""Builds every picture in ``samples/images`` from the photographs in ``samples/sources``, with throw-away keys.

    python -m samples.make_samples [FOLDER]

What each file shall read as stands in ``samples/expected.toml``, written by hand; ``tests/samples`` checks the tracked
files and a fresh build against it. The labels are examples of what a label can say, not statements about the pictures.
"""

from __future__ import annotations

import io
import sys
import time
from datetime import timedelta
from pathlib import Path

from PIL import Image

import labeler
from samples.authority import Authority, SampleSigner
from tanba.asset import Asset
from tanba.model import Carrier, Disclosure, Involvement, Oversight

HOME = Path(__file__).resolve().parent
SOURCES = HOME / "sources"
SHORT_LIFE = timedelta(seconds=4)


def disclosure(kind: Involvement, **fields: object) -> Disclosure:
    """A complete statement; single samples change what they are about."""
    stated = {
        "system": "ExampleGen",
        "system_version": "1.2",
        "provider": "Example LLP",
        "model": "pkg:generic/examplegen@1.2",
        "oversight": Oversight.PROMPT_GUIDED,
        **fields,
    }
    return Disclosure(involvement=kind, **stated)  # type: ignore[arg-type]  # keyword values by field name


def picture(source: str, size: tuple[int, int] = (480, 320)) -> Image.Image:
    """A source photograph, smaller, as RGB."""
    with Image.open(SOURCES / source) as image:
        return image.convert("RGB").resize(size)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """An image as a file in memory."""
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]  # Pillow's encoder options are untyped
    return out.getvalue()


class Maker:
    """One run: an authority the samples trust, another one they do not, and a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known, self.other = Authority("Tanba Samples"), Authority("Somebody Else")
        self.signer = self.known.signer("Sample Newsroom")

    def label(
        self, data: bytes, what: Disclosure, *, name: str, signer: SampleSigner | None = None, **options: object
    ) -> bytes:
        """The labelled bytes of a picture in memory."""
        made = labeler.label(
            Asset.from_bytes(data, name=name),
            what,
            signer=signer or self.signer,
            options=labeler.LabelOptions(**options),  # type: ignore[arg-type]  # keyword values by field name
        )
        assert made.content is not None
        return made.content

    def write(self, name: str, data: bytes) -> bytes:
        (self.folder / name).write_bytes(data)
        return data

    def run(self) -> None:
        """Everything, in the order of ``expected.toml``."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "samples-root.pem").write_bytes(self.known.root_pem)
        photo = encoded(picture("photo.jpg"), "JPEG", quality=88)
        generated = self.write("generated.jpg", self.label(photo, disclosure(Involvement.GENERATED), name="photo.jpg"))
        self._formats()
        self._visible(photo)
        self._history(generated)
        self._damage(photo, generated)
        self._signers(photo)
        self._sidecar(photo)

    def _formats(self) -> None:
        coffee, cat, rocket = picture("coffee.png"), picture("cat.png", (300, 200)), picture("rocket.jpg")
        for name, kind, image, what in (
            ("modified.png", "PNG", cat, Involvement.MODIFIED),
            ("composite.webp", "WEBP", coffee, Involvement.COMPOSITE),
            ("assisted.tif", "TIFF", cat, Involvement.ASSISTED),
            ("human.avif", "AVIF", rocket, Involvement.HUMAN),
            ("generated.gif", "GIF", cat, Involvement.GENERATED),
        ):
            options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
            self.write(name, self.label(encoded(image, kind, **options), disclosure(what), name=name))

    def _visible(self, photo: bytes) -> None:
        from tanba.profiles import load

        kz = disclosure(
            Involvement.GENERATED, languages=("kk", "ru"), synthetic_result=("non_event",), no_training=True
        )
        self.write("visible-kz.jpg", self.label(photo, kz, name="photo.jpg", visible=True, profiles=(load("kz"),)))

    def _history(self, generated: bytes) -> None:
        with Image.open(io.BytesIO(generated)) as image:
            cropped = encoded(image.crop((40, 20, 440, 300)), "JPEG", quality=88)
        parent = Asset.from_bytes(generated, name="generated.jpg")
        what = disclosure(Involvement.MODIFIED, system="ExampleEdit", operations=("cropped", "sky replaced"))
        self.write("history.jpg", self.label(cropped, what, name="history.jpg", parent=parent))

    def _damage(self, photo: bytes, generated: bytes) -> None:
        changed = bytearray(generated)
        changed[-2000] ^= 0x01
        self.write("tampered.jpg", bytes(changed))
        self.write("truncated.jpg", generated[: len(generated) // 2])
        with Image.open(io.BytesIO(generated)) as image:
            self.write("stripped.jpg", encoded(image, "JPEG", quality=80))
        self.write("unlabelled.jpg", photo)
        self.write("metadata-only.jpg", self._metadata_only(photo))
        self.write("remote-only.jpg", self._remote_only(photo))

    def _metadata_only(self, photo: bytes) -> bytes:
        from tanba.formats.metadata import write_metadata
        from tanba.formats.sniff import JPEG

        return write_metadata(photo, JPEG, disclosure(Involvement.GENERATED)).data

    def _remote_only(self, photo: bytes) -> bytes:
        packet = (
            b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
            b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
            b'xmlns:dcterms="http://purl.org/dc/terms/" dcterms:provenance="https://example.invalid/manifest.c2pa"/>'
            b'</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
        )
        body = b"http://ns.adobe.com/xap/1.0/\0" + packet
        return photo[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2) + body + photo[2:]

    def _signers(self, photo: bytes) -> None:
        what = disclosure(Involvement.GENERATED)
        stranger = self.other.signer("Unknown Studio")
        self.write("unknown-signer.jpg", self.label(photo, what, name="photo.jpg", signer=stranger))
        brief = Authority("Tanba Samples").signer("Short-lived", valid_for=SHORT_LIFE)
        self.write("expired.jpg", self.label(photo, what, name="photo.jpg", signer=brief))
        time.sleep(SHORT_LIFE.total_seconds() + 1)

    def _sidecar(self, photo: bytes) -> None:
        made = labeler.label(
            Asset.from_bytes(photo, name="sidecar.jpg"),
            disclosure(Involvement.GENERATED),
            signer=self.signer,
            options=labeler.LabelOptions(carrier=Carrier.SIDECAR),
        )
        self.write("sidecar.jpg", photo)
        self.write("sidecar.jpg.c2pa", made.store)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME / "images"
    Maker(folder).run()
    print(f"{len(list(folder.iterdir()))} files in {folder}")


if __name__ == "__main__":
    main()
