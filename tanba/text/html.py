"""The manifest of an HTML document (C2PA 2.4 Annex A.7): locate and attach.

Documents are parsed by a WHATWG HTML parser that reports source positions, so that what counts is the tree a browser
builds: a ``script`` inside a comment, a template or a string is not a mark. Bytes are handed over as Latin-1, which
makes every offset a byte offset and leaves the syntax (which is ASCII) as it is, whatever the document's charset.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import html as entities
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tanba.model import Carrier
from tanba.text.marks import Mark, Scan, Span, failure

if TYPE_CHECKING:
    import turbohtml

MEDIA_TYPE = "application/c2pa"
REL = "c2pa-manifest"
OPEN = b'<script type="application/c2pa">'
CLOSE = b"</script>"
MAX_ASSOCIATIONS = 64
"""Elements of one kind that are looked into; a second one already makes the document invalid."""
_START_TAG = re.compile(
    rb"<script\s+type\s*=\s*(?:\"application/c2pa\"|'application/c2pa'|application/c2pa)\s*>", re.IGNORECASE
)
_MAX_ROOTS = 8
_MAX_FORMATTING = 2_000
_SMALL, _LARGE = 64 << 10, 1 << 20
_ROOT = re.compile(rb"<(?:html|body)[\s/]", re.IGNORECASE)
_FORMATTING = re.compile(rb"<(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)[\s/>]", re.IGNORECASE)
"""Elements that a parser opens again and again when they are not closed (HTML, 13.2.4.3)."""
_SHORT = 64
"""Bytes of a start tag that holds nothing but its type."""
_CODE = "manifest.html."
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Place:
    """A byte offset at which an element becomes part of ``head``."""

    at: int


def script(store: bytes) -> bytes:
    """The inline element (A.7.1.1)."""
    return OPEN + base64.b64encode(store) + CLOSE


def script_size(store_size: int) -> int:
    """Length of :func:`script` for a store of that many bytes."""
    return len(OPEN) + len(CLOSE) + 4 * -(-store_size // 3)


def link(url: str) -> bytes:
    """The element that refers to an external manifest store (A.7.1.2)."""
    return f'<link rel="{REL}" href="{entities.escape(url)}" type="{MEDIA_TYPE}">'.encode()


def locate(raw: bytes) -> Scan:
    """The manifest association of a document.

    ``manifest.html.multipleManifests`` for more than one (A.7.1). A script of that type outside ``head`` counts as
    well: it claims to be the manifest, and a second reader might take it.
    """
    if not mentioned(raw):
        return Scan()
    document = _parse(raw)
    scripts = [node for node in document.select("script") if _is_script(node)]
    links = [node for node in document.select("link") if _is_link(node)]
    scan = Scan()
    for node in scripts[:MAX_ASSOCIATIONS]:
        scan = scan.plus(_script(raw, node))
    for node in links[:MAX_ASSOCIATIONS]:
        scan = scan.plus(_link(node))
    if len(scripts) + len(links) > 1:
        text = f"{len(scripts) + len(links)} manifest associations, at most one is allowed"
        scan = Scan(scan.marks, (*scan.findings, failure(_CODE + "multipleManifests", text)))
    return scan


def mentioned(raw: bytes) -> bool:
    """Whether anything in the document can be a manifest association. Nothing else is worth parsing it for."""
    lower = raw.lower()
    return MEDIA_TYPE.encode() in lower or REL.encode() in lower


def slow(raw: bytes) -> bool:
    """Whether parsing this could take more than some tenths of a second.

    The parser is linear but for two things: attributes of further ``html`` and ``body`` tags (36,000 of them in 500 kB
    take 47 s) and formatting elements that stay open.
    """
    if len(raw) <= _SMALL:
        return False
    return len(raw) > _LARGE or _more(_ROOT, raw, _MAX_ROOTS) or _more(_FORMATTING, raw, _MAX_FORMATTING)


def _more(pattern: re.Pattern[bytes], raw: bytes, most: int) -> bool:
    return next(itertools.islice(pattern.finditer(raw), most, None), None) is not None


def places(raw: bytes) -> tuple[Place, ...]:
    """Where a manifest element may go, best first: the end of ``head`` (so that a ``meta charset`` keeps its place).

    The caller attaches and locates again, and takes the first place at which the parser finds the element in ``head``.
    """
    document = _parse(raw)
    found: list[int] = []
    head = document.select_one("head")
    where = head.source_location if head is not None else None
    if where is not None and where.end_tag is not None:
        found.append(where.end_tag.start_offset)
    if head is not None:
        inside = [child.source_location for child in head.select("*")]
        found += [(item.end_tag or item.start_tag).end_offset for item in reversed(inside) if item is not None][:1]
    if where is not None:
        found.append(where.start_tag.end_offset)
    root = document.select_one("html")
    if root is not None and root.source_location is not None:
        found.append(root.source_location.start_tag.end_offset)
    body = document.select_one("body")
    if body is not None and body.source_location is not None:
        found.append(body.source_location.start_tag.start_offset)
    prolog = raw.lower().find(b"<!doctype")
    found.append(raw.find(b">", prolog) + 1 if prolog >= 0 else (len(_BOM) if raw.startswith(_BOM) else 0))
    return tuple(Place(at) for at in dict.fromkeys(found))


def in_head(raw: bytes, span: Span) -> bool:
    """Whether the one manifest element stands exactly there and inside ``head``."""
    scan = locate(raw)
    if len(scan.marks) != 1 or scan.findings or scan.marks[0].span != span:
        return False
    chosen = _parse(raw).select("head > script, head > link")
    return any(_span(node) == span for node in chosen)


def language(raw: bytes) -> str | None:
    """The document's ``lang``, or None."""
    root = _parse(raw).select_one("html")
    value = root.attrs.get("lang") if root is not None else None
    return value if isinstance(value, str) and value else None


def body_start(raw: bytes) -> int:
    """Where the content of ``body`` begins: behind its start tag, or where the parser opens it on its own."""
    document = _parse(raw)
    body = document.select_one("body")
    where = body.source_location if body is not None else None
    if where is not None:
        return int(where.start_tag.end_offset)
    head = document.select_one("head")
    inside = [item.source_location for item in (head, *head.select("*"))] if head is not None else []
    ends = [(item.end_tag or item.start_tag).end_offset for item in inside if item is not None]
    root = document.select_one("html")
    if root is not None and root.source_location is not None:
        ends.append(root.source_location.start_tag.end_offset)
    return max([*ends, places(raw)[-1].at])


def head_holds(raw: bytes, selector: str, at: int) -> bool:
    """Whether an element that the selector matches begins at that offset, inside ``head``."""
    spans = [_span(node) for node in _parse(raw).select(f"head > {selector}")]
    return any(span is not None and span.start == at for span in spans)


def charset(raw: bytes) -> str:
    """The Python codec of the document's declared charset; UTF-8 when it declares none that Python knows."""
    if raw.startswith(_BOM):
        return "utf-8"
    for node in _parse(raw[:4096]).select("meta"):
        declared = _attribute(node, "charset") or _attribute(node, "content").lower().partition("charset=")[2]
        try:
            if declared:
                return codecs.lookup(declared.strip()).name
        except LookupError:
            continue
    return "utf-8"


def _parse(raw: bytes) -> turbohtml.Document:
    import turbohtml

    # A byte order mark is no text, and the parser counts CR LF once: spaces and two line feeds keep every offset.
    plain = b"   " + raw[3:] if raw.startswith(_BOM) else raw
    return turbohtml.parse(plain.replace(b"\r\n", b"\n\n").decode("latin-1"), source_locations=True)


def _attribute(node: turbohtml.Element, name: str) -> str:
    value = node.attrs.get(name)
    return " ".join(value) if isinstance(value, list) else (value or "")


def _is_script(node: turbohtml.Element) -> bool:
    return _attribute(node, "type").strip().lower() == MEDIA_TYPE


def _is_link(node: turbohtml.Element) -> bool:
    return REL in _attribute(node, "rel").lower().split()


def _span(node: turbohtml.Element) -> Span | None:
    where = node.source_location
    if where is None:
        return None
    end = (where.end_tag or where.start_tag).end_offset
    return Span(where.start_tag.start_offset, end - where.start_tag.start_offset)


def _script(raw: bytes, node: turbohtml.Element) -> Scan:
    span, where = _span(node), node.source_location
    if span is None or where is None or where.end_tag is None:
        return Scan(findings=(failure("claim.missing", "a manifest script without its end tag", span),))
    content = raw[where.start_tag.end_offset : where.end_tag.start_offset]
    try:
        store = base64.b64decode(content.strip(), validate=True)
    except (binascii.Error, ValueError):
        store = b""
    if not store:
        return Scan(findings=(failure("claim.missing", "the manifest script does not hold base64", span),))
    start_tag = raw[where.start_tag.start_offset : where.start_tag.end_offset][: _SHORT + 1]
    tag_size = where.end_tag.end_offset - where.end_tag.start_offset
    foreign = None
    if (
        len(start_tag) > _SHORT
        or _START_TAG.fullmatch(start_tag) is None
        or base64.b64encode(store) != content.strip()
        or len(content) > len(content.strip()) + 2
        or tag_size != len(CLOSE)
    ):
        foreign = "the manifest element holds something besides its type and the manifest"
    return Scan(marks=(Mark(Carrier.A7, span, store, foreign=foreign),))


def _link(node: turbohtml.Element) -> Scan:
    span, href = _span(node), _attribute(node, "href").strip()
    if span is None or not href:
        return Scan(findings=(failure("claim.missing", "a manifest link without an address", span),))
    return Scan(marks=(Mark(Carrier.A7, span, None, href),))
