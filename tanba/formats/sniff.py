"""What a file is, decided from its bytes; the name only splits text into kinds that bytes cannot tell apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from tanba.formats import textual


class Kind(StrEnum):
    """Families that take different roads through Tanba."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    TEXT = "text"
    STORE = "store"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Format:
    """A media type and what can be done with it."""

    media_type: str
    kind: Kind
    extension: str
    """Usual file name extension, with its dot."""
    signable: bool = False
    """c2pa-python 0.38 embeds a manifest in it."""
    readable: bool = False
    """c2pa-python 0.38 reads an embedded manifest from it."""


def _media(media_type: str, kind: Kind, extension: str, *, signable: bool = True, readable: bool = True) -> Format:
    return Format(media_type, kind, extension, signable, readable)


JPEG = _media("image/jpeg", Kind.IMAGE, ".jpg")
PNG = _media("image/png", Kind.IMAGE, ".png")
WEBP = _media("image/webp", Kind.IMAGE, ".webp")
GIF = _media("image/gif", Kind.IMAGE, ".gif")
TIFF = _media("image/tiff", Kind.IMAGE, ".tif")
DNG = _media("image/x-adobe-dng", Kind.IMAGE, ".dng")
AVIF = _media("image/avif", Kind.IMAGE, ".avif")
HEIC = _media("image/heic", Kind.IMAGE, ".heic")
HEIF = _media("image/heif", Kind.IMAGE, ".heif")
JXL = _media("image/jxl", Kind.IMAGE, ".jxl")
JXL_BARE = Format("image/jxl", Kind.IMAGE, ".jxl", signable=True)
"""A codestream without container: it holds no label, and is put into the container to get one."""
SVG = _media("image/svg+xml", Kind.IMAGE, ".svg")
NEF = _media("image/x-nikon-nef", Kind.IMAGE, ".nef", signable=False)
ARW = _media("image/x-sony-arw", Kind.IMAGE, ".arw", signable=False)
MP4 = _media("video/mp4", Kind.VIDEO, ".mp4")
MOV = _media("video/quicktime", Kind.VIDEO, ".mov")
M4V = _media("video/x-m4v", Kind.VIDEO, ".m4v")
AVI = _media("video/avi", Kind.VIDEO, ".avi")
M4A = _media("audio/mp4", Kind.AUDIO, ".m4a")
MP3 = _media("audio/mpeg", Kind.AUDIO, ".mp3")
WAV = _media("audio/wav", Kind.AUDIO, ".wav")
FLAC = _media("audio/flac", Kind.AUDIO, ".flac")
PDF = _media("application/pdf", Kind.DOCUMENT, ".pdf")
EPUB = _media("application/epub+zip", Kind.DOCUMENT, ".epub")
STORE = Format("application/c2pa", Kind.STORE, ".c2pa", readable=True)
BMP = Format("image/bmp", Kind.IMAGE, ".bmp")
OGG = Format("audio/ogg", Kind.AUDIO, ".ogg")
WEBM = Format("video/webm", Kind.VIDEO, ".webm")
MATROSKA = Format("video/matroska", Kind.VIDEO, ".mkv")
JP2 = Format("image/jp2", Kind.IMAGE, ".jp2")
CR3 = Format("image/x-canon-cr3", Kind.IMAGE, ".cr3")
UNKNOWN = Format("application/octet-stream", Kind.UNKNOWN, ".bin")

HTML = Format("text/html", Kind.TEXT, ".html")
PLAIN = Format("text/plain", Kind.TEXT, ".txt")
MARKDOWN = Format("text/markdown", Kind.TEXT, ".md")

_OOXML = {
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".docm": "application/vnd.ms-word.document.macroenabled.12",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    ".oxps": "application/oxps",
}
_ODF = {
    b"application/vnd.oasis.opendocument.text": (".odt",),
    b"application/vnd.oasis.opendocument.spreadsheet": (".ods",),
    b"application/vnd.oasis.opendocument.presentation": (".odp",),
    b"application/vnd.oasis.opendocument.graphics": (".odg",),
}

ZIPPED = frozenset({EPUB.media_type, *_OOXML.values(), *(kind.decode() for kind in _ODF)})
"""Media types of documents in a ZIP file."""

_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis"}
_HEIF_BRANDS = {b"mif1", b"msf1"}
_M4A_BRANDS = {b"M4A ", b"M4B ", b"M4P "}
_M4V_BRANDS = {b"M4V ", b"M4VH", b"M4VP"}


def sniff(head: bytes, *, name: str | None = None) -> Format:
    """The format of an asset from its first bytes (4 KiB are enough).

    ``name`` is consulted only among text kinds, ZIP documents and TIFF-based raw photos, where the bytes are the
    same. Never raises; :data:`UNKNOWN` when nothing fits.
    """
    extension = textual.raw_extension(name)
    return (
        _plainly_text(head, name)
        or _image(head, extension)
        or _riff(head)
        or _bmff(head)
        or _audio(head)
        or _document(head, extension)
        or _store(head)
        or _text(head, name, extension)
        or UNKNOWN
    )


def _image(head: bytes, extension: str) -> Format | None:
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        if extension in (".nef", ".arw"):
            return NEF if extension == ".nef" else ARW
        return DNG if extension == ".dng" else TIFF
    if head.startswith(b"\0\0\0\x0cJXL \r\n\x87\n"):
        return JXL
    if head.startswith(b"\xff\x0a"):
        return JXL_BARE
    if head.startswith(b"\0\0\0\x0cjP  \r\n\x87\n"):
        return JP2
    if head.startswith(b"BM") and len(head) > 14 and head[6:10] == b"\0\0\0\0":
        return BMP
    return None


def _riff(head: bytes) -> Format | None:
    if not head.startswith(b"RIFF"):
        return None
    return {b"WEBP": WEBP, b"WAVE": WAV, b"AVI ": AVI}.get(head[8:12])


def _bmff(head: bytes) -> Format | None:
    if head[4:8] not in (b"ftyp", b"styp"):
        return None
    if head[8:12] == b"crx ":
        return CR3
    brands = {head[8:12], *(head[at : at + 4] for at in range(16, min(int.from_bytes(head[:4]), len(head)), 4))}
    if brands & _AVIF_BRANDS:
        return AVIF
    if brands & _HEIC_BRANDS:
        return HEIC
    if brands & _HEIF_BRANDS:
        return HEIF
    if head[8:12] in _M4A_BRANDS:
        return M4A
    if head[8:12] in _M4V_BRANDS:
        return M4V
    return MOV if head[8:12] == b"qt  " else MP4


def _audio(head: bytes) -> Format | None:
    if head.startswith(b"fLaC"):
        return FLAC
    if head.startswith(b"ID3"):
        size = 0
        for byte in head[6:10]:
            size = size << 7 | byte & 0x7F
        return FLAC if head[10 + size : 14 + size] == b"fLaC" else MP3
    if len(head) > 3 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2 and head[2] & 0xF0 != 0xF0:
        return MP3
    if head.startswith(b"OggS"):
        return OGG
    if head.startswith(b"\x1a\x45\xdf\xa3"):
        return MATROSKA if b"matroska" in head[:64] else WEBM
    return None


def _document(head: bytes, extension: str) -> Format | None:
    if b"%PDF-" in head[:1024]:
        return PDF
    if not head.startswith(b"PK\x03\x04"):
        return None
    name_length = int.from_bytes(head[26:28], "little")
    extra = int.from_bytes(head[28:30], "little")
    if head[30 : 30 + name_length] == b"mimetype":
        content = head[30 + name_length + extra : 30 + name_length + extra + 80]
        if content.startswith(b"application/epub+zip"):
            return EPUB
        for prefix, (suffix,) in _ODF.items():
            if content.startswith(prefix):
                return _media(prefix.decode(), Kind.DOCUMENT, suffix)
    if extension in _OOXML:
        return _media(_OOXML[extension], Kind.DOCUMENT, extension)
    for needle, suffix in ((b"word/", ".docx"), (b"xl/", ".xlsx"), (b"ppt/", ".pptx")):
        if needle in head:
            return _media(_OOXML[suffix], Kind.DOCUMENT, suffix)
    return Format("application/zip", Kind.DOCUMENT, ".zip")


def _store(head: bytes) -> Format | None:
    return STORE if head[4:8] == b"jumb" and head[12:16] == b"jumd" and head[16:20] == b"c2pa" else None


# Atomic groups: "<!---->" repeated could otherwise be read in exponentially many ways.
_HTML = re.compile(rb"\s*(?:(?><!--.*?-->)\s*+)*+<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.DOTALL)
_SVG_ROOT = re.compile(
    rb"\s*(?:(?><\?.*?\?>|<!--.*?-->|<!DOCTYPE\s+(?!html)[^>\[]*(?:\[.*?\]\s*)?>)\s*+)*+<(?:svg:)?svg[\s>/]",
    re.IGNORECASE | re.DOTALL,
)


def _plainly_text(head: bytes, name: str | None) -> Format | None:
    """A text by its name whose bytes are text, although they may begin with the letters of a magic number.

    ``GIF89a``, ``ID3`` and ``OggS`` are words too; a real file of those formats has bytes that are no UTF-8.
    """
    kind = textual.media_type(name, b"") if name else None
    body = head.removeprefix(b"\xef\xbb\xbf")
    if kind is None or not body or body.startswith(b"%PDF-") or _looks_binary(body) or _is_svg(body, name):
        return None
    return _text_type(kind, textual.extension(name))


def _is_svg(body: bytes, name: str | None) -> bool:
    """An SVG by its root element; by its name where the prolog may be long."""
    if textual.extension(name) == ".svg":
        return body.lstrip().startswith(b"<") and not _HTML.match(body)
    return textual.media_type(name, b"") in (None, "application/xml") and _SVG_ROOT.match(body) is not None


def _text(head: bytes, name: str | None, extension: str) -> Format | None:
    if not head:
        kind = textual.media_type(name, b"") or (textual.PROSE if not extension else None)
        return _text_type(kind, extension) if kind else None
    body = head.removeprefix(b"\xef\xbb\xbf")
    if _looks_binary(body):
        return _legacy_text(head, name, extension)
    if _is_svg(body, name):
        return SVG
    if known := textual.media_type(name, body):
        return _text_type(known, extension)
    if _HTML.match(body):
        return HTML
    if body.lstrip().startswith(b"<?xml"):
        return _text_type("application/xml", ".xml")
    return _text_type(textual.PROSE, textual.extension(name))


def _legacy_text(head: bytes, name: str | None, extension: str) -> Format | None:
    """Text in another encoding than UTF-8: UTF-16 by its mark, a single-byte charset by the name and no NUL."""
    kind = textual.media_type(name, b"")
    if kind is None or not (head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head):
        return None
    return _text_type(kind, extension)


def _text_type(media_type: str, extension: str) -> Format:
    return Format(media_type, Kind.TEXT, extension or ".txt")


def _looks_binary(head: bytes) -> bool:
    """Text has no NUL and, save a character cut at the end of the window, decodes as UTF-8."""
    if b"\0" in head:
        return True
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start < len(head) - 3
    return False
