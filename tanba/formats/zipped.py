"""ZIP-based documents (Office, OpenDocument, EPUB) with their parts stored instead of compressed.

c2pa-rs as built into c2pa-python 0.38 signs only ZIP files whose parts are stored, and real documents compress theirs.
Storing them changes no part: names, order, dates, attributes and comments stay, so an XML signature inside a document
(``_xmlsignatures``, ``META-INF/signatures.xml``) still covers what it covered. Extra fields of members are left out: EPUB
OCF 3.3 (4.2.2) forbids them on ``mimetype``, and they hold nothing but padding and second dates.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from tanba.errors import AssetTooLarge, MalformedAsset, UnsupportedFormat
from tanba.formats.sniff import Format, Kind
from tanba.limits import DEFAULT_LIMITS, MIB, Limits

_CENTRAL = b"PK\x01\x02"
_ENCRYPTED = 0x1 | 0x40
_UTF8 = 0x800
"""General purpose bits 0 (encrypted), 6 (strong encryption) and 11 (UTF-8 name): APPNOTE.TXT 4.4.4."""
_MAX_MEMBERS = 20_000
_MAX_RATIO = 250
_RATIO_FROM = 64 * MIB
"""Bytes up to which the ratio does not matter: a small workbook of equal cells may be packed very tightly."""
_CHUNK = MIB
_BESIDE = "use --carrier sidecar: the label goes into a file beside it"


def is_zipped(format: Format) -> bool:
    """Whether this is a document in a ZIP file in which a manifest can stand."""
    return format.kind is Kind.DOCUMENT and format.signable and format.media_type != "application/pdf"


def stored(data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes | None:
    """The same document with every part stored, or None when it is so already.

    Raises :class:`MalformedAsset` for a damaged or ambiguous archive, :class:`UnsupportedFormat` for an encrypted one
    and unknown compression, :class:`AssetTooLarge` when the parts are too many or together over ``limits.asset_bytes``.
    """
    # The archive's own count may lie, and the standard library reads the whole directory when it opens one.
    if data.count(_CENTRAL) > 2 * _MAX_MEMBERS:
        raise _too_many()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            members = source.infolist()
            if all(member.compress_type == zipfile.ZIP_STORED for member in members):
                return None
            _check(members, len(data), limits)
            return _copied(source, members)
    except NotImplementedError as error:
        raise UnsupportedFormat(
            "the document's ZIP file needs a newer reader than there is here", hint=_BESIDE
        ) from error
    except (zipfile.BadZipFile, struct.error, zlib.error, EOFError, ValueError, OSError) as error:
        raise MalformedAsset(
            f"the document's ZIP file is damaged: {error}", hint="open it in its program and save it again"
        ) from error


def _check(members: list[zipfile.ZipInfo], size: int, limits: Limits) -> None:
    """Refuse what is too large, locked, or cannot be copied exactly; nothing has been unpacked yet."""
    if len(members) > _MAX_MEMBERS:
        raise _too_many()
    if any(member.flag_bits & _ENCRYPTED for member in members):
        raise UnsupportedFormat("parts of this document are encrypted", hint=f"remove the password, or {_BESIDE}")
    known = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(member.compress_type not in known for member in members):
        raise UnsupportedFormat("parts of this document are compressed by another method than deflate", hint=_BESIDE)
    total = sum(member.file_size for member in members)
    if total > limits.asset_bytes or total > max(_RATIO_FROM, _MAX_RATIO * size):
        raise AssetTooLarge(f"the parts of this document unpack to {total:,} bytes", hint=_BESIDE)
    names = {member.orig_filename for member in members}
    if len(names) != len(members) or any("\0" in name for name in names):
        raise MalformedAsset("parts of this document have the same name, or none that can be kept")


def _copied(source: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        target.comment = source.comment
        for member in members:
            kept = zipfile.ZipInfo(_name(member), member.date_time)
            kept.create_system, kept.comment = member.create_system, member.comment
            kept.file_size = member.file_size
            with source.open(member) as part, target.open(kept, "w") as copy:
                while chunk := part.read(_CHUNK):
                    copy.write(chunk)
            if kept.file_size != member.file_size:
                raise zipfile.BadZipFile(f"a part has {kept.file_size:,} bytes and says {member.file_size:,}")
            # After writing, because the standard library replaces missing permissions by its own.
            kept.external_attr, kept.internal_attr = member.external_attr, member.internal_attr
    return out.getvalue()


def _name(member: zipfile.ZipInfo) -> str:
    """The name as its bytes mean it: many programs write UTF-8 without saying so, and would be read as code page 437."""
    if member.flag_bits & _UTF8:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _too_many() -> AssetTooLarge:
    return AssetTooLarge(f"this document has more than {_MAX_MEMBERS:,} parts", hint=_BESIDE)
