"""XMP packets: read a file's properties, and merge new ones in without losing any (ISO 16684-1; XMP parts 1 and 3).

Files are hostile: no DTD, no entity, no network, bounded sizes. Pixels are never touched, and what a container cannot
take losslessly is refused with a reason instead of being rewritten.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import Element, ParseError

from tanba.asset import Asset
from tanba.errors import MalformedAsset, MetadataNotWritable, UsageError
from tanba.formats.containers import Blocks, container_for, jpeg
from tanba.formats.sniff import Format, Kind
from tanba.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from lxml.etree import _Element

QName = tuple[str, str]
"""Namespace URI and local name."""

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
XMP_MM = "http://ns.adobe.com/xap/1.0/mm/"
XMP_NOTE = "http://ns.adobe.com/xmp/note/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
PLUS = "http://ns.useplus.org/ldf/xmp/1.0/"
TC260 = "http://www.tc260.org.cn/ns/AIGC/1.0/"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
DC = "http://purl.org/dc/elements/1.1/"
_META = "adobe:ns:meta/"

PREFIXES = {
    XMP: "xmp",
    XMP_MM: "xmpMM",
    XMP_NOTE: "xmpNote",
    IPTC_EXT: "Iptc4xmpExt",
    PLUS: "plus",
    TC260: "TC260",
    PHOTOSHOP: "photoshop",
    DC: "dc",
}
"""The registered prefix of each namespace we write."""

_HEADER = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
_TRAILER = b'\n<?xpacket end="w"?>'
_MAX_TAGS = 200_000
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Xmp:
    """The top-level properties of a packet. A property given twice keeps both values, so that contradictions show."""

    properties: Mapping[QName, tuple[str, ...]] = field(default_factory=dict)

    def values(self, namespace: str, name: str) -> tuple[str, ...]:
        """All values of one property, in file order; empty when it is absent."""
        return self.properties.get((namespace, name), ())

    def first(self, namespace: str, name: str) -> str | None:
        """The first value, or None."""
        return next(iter(self.values(namespace, name)), None)


def not_writable(format: Format) -> str | None:
    """Why XMP cannot be written into this format ("C2PA only" in a plan), or None when it can."""
    container = container_for(format)
    if container is None:
        if format.kind in (Kind.TEXT, Kind.STORE):
            return "text has no place for XMP"
        return f"Tanba writes no XMP into {format.media_type}"
    return container.reason if container.write is None else None


def read_xmp(asset: Asset, limits: Limits = DEFAULT_LIMITS) -> Xmp | None:
    """The XMP of a file, or None when it has none. Raises :class:`MalformedAsset`."""
    container = container_for(asset.format)
    if container is None:
        return None
    blocks = Blocks()
    with asset.open() as stream:
        container.read(stream, blocks)
    return from_blocks(blocks, limits)


def from_blocks(blocks: Blocks, limits: Limits = DEFAULT_LIMITS) -> Xmp | None:
    """All packets of a file as one set of properties. Raises :class:`MalformedAsset`."""
    packets = [*blocks.xmp, *([blocks.xmp_extended] if blocks.xmp_extended else [])]
    if not packets:
        return None
    merged: dict[QName, tuple[str, ...]] = {}
    for packet in packets:
        for name, values in parse(packet, limits).properties.items():
            merged[name] = merged.get(name, ()) + values
    return Xmp(merged)


def parse(packet: bytes, limits: Limits = DEFAULT_LIMITS) -> Xmp:
    """The properties of one packet. Raises :class:`MalformedAsset` for XML that is broken, has a DTD or is too deep."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    _check_tags(packet)
    try:
        root = fromstring(_trim(packet), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedAsset(f"the XMP packet is not acceptable XML: {type(error).__name__}") from error
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    found: dict[QName, list[str]] = {}
    for description in rdf.iterfind(f"{{{RDF}}}Description") if rdf is not None else ():
        for name, value in description.attrib.items():
            if name.startswith("{") and not name.startswith(f"{{{RDF}}}"):
                found.setdefault(_qname(name), []).append(value[: limits.strings])
        for child in description:
            if isinstance(child.tag, str) and child.tag.startswith("{"):
                found.setdefault(_qname(child.tag), []).extend(value[: limits.strings] for value in _values(child))
    return Xmp({name: tuple(values) for name, values in found.items()})


def write_xmp(
    data: bytes, format: Format, properties: Mapping[QName, str | None], blocks: Blocks | None = None
) -> bytes:
    """The file with these properties set (None removes one); everything else in it stays as it was.

    ``data`` is copied once, into the result; ``blocks`` is what its container holds, when the caller has read it. Raises :class:`MetadataNotWritable` with the reason,
    :class:`MalformedAsset`, or :class:`UsageError` for values that XML cannot hold.
    """
    container = container_for(format)
    if container is None or container.write is None:
        raise MetadataNotWritable(not_writable(format) or "no XMP here")
    if blocks is None:
        blocks = Blocks()
        container.read(io.BytesIO(data), blocks)
    packet = merge(blocks.xmp[0] if blocks.xmp else None, properties)
    if blocks.xmp_extended:
        data, packet = _clean_extended(data, blocks.xmp_extended, packet, properties)
    return container.write(data, packet)


def merge(packet: bytes | None, properties: Mapping[QName, str | None]) -> bytes:
    """A packet with these properties set, made from ``packet``; the result carries no padding.

    Raises :class:`MetadataNotWritable` when the old packet is not well-formed: it is never thrown away.
    """
    from lxml import etree

    for value in properties.values():
        if value is not None and _NOT_XML.search(value):
            raise UsageError("a value holds control characters, which XML cannot carry", code="tanba.metadata.value")
    root = _tree(packet)
    rdf = root if root.tag == f"{{{RDF}}}RDF" else root.find(f"{{{RDF}}}RDF")
    if rdf is None:
        rdf = etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
    descriptions = rdf.findall(f"{{{RDF}}}Description")
    if not descriptions:
        descriptions = [etree.SubElement(rdf, f"{{{RDF}}}Description", {f"{{{RDF}}}about": ""})]
    for (namespace, name), value in properties.items():
        tag = f"{{{namespace}}}{name}"
        for description in descriptions:
            _remove(description, tag)
        if value is not None:
            prefix = PREFIXES.get(namespace)
            child = etree.SubElement(descriptions[0], tag, nsmap={prefix: namespace} if prefix else None)
            child.text = value
    return _HEADER + etree.tostring(root, encoding="utf-8", xml_declaration=False) + _TRAILER


def _tree(packet: bytes | None) -> _Element:
    from lxml import etree

    if packet is None:
        root = etree.Element(f"{{{_META}}}xmpmeta", nsmap={"x": _META})
        etree.SubElement(root, f"{{{RDF}}}RDF", nsmap={"rdf": RDF})
        return root
    _check_tags(packet)
    if b"<!DOCTYPE" in packet or b"<!ENTITY" in packet:
        raise MetadataNotWritable("the file's own XMP declares a document type; it is left alone")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(_trim(packet), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise MetadataNotWritable("the file's own XMP is not well-formed; it is left alone") from error
    return tree


def _remove(description: _Element, tag: str) -> None:
    if tag in description.attrib:
        del description.attrib[tag]
    for child in description.findall(tag):
        description.remove(child)


def _clean_extended(
    data: bytes, extended: bytes, packet: bytes, properties: Mapping[QName, str | None]
) -> tuple[bytes, bytes]:
    """Take properties that are set now out of a JPEG's ExtendedXMP, where they would contradict the new values."""
    held = parse(extended).properties
    if not any(name in held for name in properties):
        return data, packet
    cleaned = merge(extended, dict.fromkeys(properties)).removeprefix(_HEADER).removesuffix(_TRAILER)
    packet = merge(packet, {(XMP_NOTE, "HasExtendedXMP"): jpeg.extended_guid(cleaned)})
    return jpeg.extended_segments(data, cleaned), packet


def _check_tags(packet: bytes) -> None:
    """Depth and number of elements cost memory out of proportion to their bytes."""
    if packet.count(b"<") > _MAX_TAGS:
        raise MalformedAsset(f"an XMP packet of more than {_MAX_TAGS:,} tags")


def _trim(packet: bytes) -> bytes:
    """Without the NULs and blanks that writers pad with, which XML does not allow at the end."""
    return packet.strip(b"\0 \t\r\n")


def _qname(tag: str) -> QName:
    namespace, _, name = tag[1:].partition("}")
    return namespace, name


def _values(element: Element) -> Iterator[str]:
    """The simple values of a property: its URI, its text, or its list items. Structures have none."""
    resource = element.get(f"{{{RDF}}}resource")
    if resource is not None:
        yield resource
        return
    children = list(element)
    if not children:
        yield (element.text or "").strip()
        return
    for container in children:
        if container.tag in (f"{{{RDF}}}Alt", f"{{{RDF}}}Bag", f"{{{RDF}}}Seq"):
            for item in container.iterfind(f"{{{RDF}}}li"):
                yield item.get(f"{{{RDF}}}resource") or (item.text or "").strip()
