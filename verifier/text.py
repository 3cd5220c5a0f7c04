"""Step (1) of the procedure for text: every carrier located, the binding checked by us, damage explained.

The :class:`Evidence` that comes back is like any other asset's; the findings beside it are informational and never
change what the evidence says.
"""

from __future__ import annotations

from tanba.asset import Asset
from tanba.engine.isolate import in_worker
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.errors import AssetUnreadable, Deadline, TextNotEncodable
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.report import Bucket, Finding, Layer
from tanba.text import sections
from tanba.text.evidence import TextReading, read_marked
from tanba.text.locate import slow
from tanba.trust import TrustStore
from verifier.text_damage import examine

_ENCODED = {
    "quoted-printable": b"=EF=BB=BF=F3=A0=84=B3",
    "JSON escapes": b"\\ufeff\\udb40\\udd33",
    "HTML character references": b"&#65279;&#917811;",
    "percent encoding": b"%EF%BB%BF%F3%A0%84%B3",
}
"""How the first characters of an A.8 mark (U+FEFF, then 0x43) look in common transport encodings."""


Read = tuple[Evidence, tuple[Finding, ...]]


def read_text(
    asset: Asset,
    *,
    trust: TrustStore,
    limits: Limits = DEFAULT_LIMITS,
    manifest: bytes | None = None,
    isolate: bool = True,
) -> Read:
    """Read a text's label and say what became of it. Never raises for what it finds.

    ``isolate=False`` is for callers that already run in a killable process.
    """
    if asset.size > limits.text_bytes:
        words = f"{asset.size:,} bytes of text are more than the limit of {limits.text_bytes:,}"
        return Evidence(EvidenceStatus.OVER_LIMIT, error=words), ()
    try:
        raw = asset.read()
    except (AssetUnreadable, OSError) as error:
        return Evidence(EvidenceStatus.UNREADABLE, error=str(error)), ()
    if isolate and slow(raw, asset.format.media_type, given=manifest is not None):
        try:
            return in_worker(_read, asset, raw, trust, limits, manifest, limits=limits)
        except Deadline as error:
            return Evidence(EvidenceStatus.OVER_LIMIT, error=error.message), ()
    return _read(asset, raw, trust, limits, manifest)


def _read(asset: Asset, raw: bytes, trust: TrustStore, limits: Limits, manifest: bytes | None) -> Read:
    reading = read_marked(raw, asset.format.media_type, trust=trust, limits=limits, manifest=manifest)
    notes = [item for item in reading.scan.findings if item.bucket is Bucket.INFORMATIONAL]
    notes += examine(raw, reading).findings
    notes += _sections(raw, asset.format.media_type, reading)
    if reading.evidence.status is EvidenceStatus.ABSENT:
        notes += _lost(raw, asset)
    return reading.evidence, tuple(notes)


def _sections(raw: bytes, media_type: str, reading: TextReading) -> list[Finding]:
    """Which paragraphs are unchanged, when the label lists them, its signature holds, and the whole does not."""
    evidence = reading.evidence
    data = next(
        (
            item.get("data")
            for item in evidence.manifest().get("assertions", ())
            if isinstance(item, dict) and item.get("label") == sections.LABEL
        ),
        None,
    )
    signed = any(item.code == "claimSignature.validated" for item in evidence.own)
    sound = not any(code.startswith("assertion.hashedURI") for code in evidence.codes_in(Bucket.FAILURE))
    if data is None or not signed or not sound or (reading.binding is not None and reading.binding.intact):
        return []
    content = reading.mark.span.cut(raw) if reading.mark is not None and reading.mark.excluded else raw
    try:
        match = sections.compare(data, content, media_type)
    except TextNotEncodable:
        return []
    if match is None:
        return []
    info = evidence.manifest().get("signature_info") or {}
    params: dict[str, object] = {
        "numbers": match.words,
        "count": len(match.numbers),
        "total": match.total,
        "foreign": len(match.foreign),
        "foreign_numbers": sections.ranges(match.foreign),
        "in_order": "yes" if match.in_order else "no",
        "signer": info.get("issuer") or info.get("common_name") or "",
    }
    if not match.numbers:
        words = f"none of the {match.total} paragraphs of the labelled text stands here unchanged"
        return [Finding("tanba.text.sections_none", Bucket.INFORMATIONAL, Layer.TEXT, None, words, params)]
    verb = "paragraph {} of {} is" if len(match.numbers) == 1 else "paragraphs {} of {} are"
    words = verb.format(match.words, match.total)
    words += f" unchanged from a text labelled by {params['signer'] or 'an unnamed signer'}"
    if match.foreign:
        words += f"; not from it, here: {sections.ranges(match.foreign)}"
    if not match.in_order:
        words += "; their order is another one"
    return [Finding("tanba.text.sections_unchanged", Bucket.INFORMATIONAL, Layer.TEXT, None, words, params)]


def _lost(raw: bytes, asset: Asset) -> list[Finding]:
    """Ways in which a mark is there but not readable, or may have been dropped before it reached us."""
    found = []
    for name, sign in _ENCODED.items():
        if sign in raw or sign.lower() in raw:
            words = f"a mark in {name}: decode the text, then check it again"
            found.append(
                Finding("tanba.text.mark_encoded", Bucket.INFORMATIONAL, Layer.TEXT, None, words, {"encoding": name})
            )
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        words = "the text is UTF-16; marks are defined for UTF-8 only"
        found.append(Finding("tanba.text.not_utf8", Bucket.INFORMATIONAL, Layer.TEXT, None, words))
    if asset.path is None and asset.format.media_type == "text/plain" and not found:
        words = "pasted text may have lost an invisible mark on the way (terminals and editors drop it); check the file"
        found.append(Finding("tanba.text.paste_may_lose_mark", Bucket.INFORMATIONAL, Layer.TEXT, None, words))
    return found
