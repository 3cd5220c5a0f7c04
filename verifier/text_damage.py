"""What happened to a text whose mark no longer fits, told as findings. The verdict is never improved here.

The signed digest is the judge: a kind of damage is undone, and when the hash then matches, that damage and nothing
else happened. What cannot be undone is called a change. Work is bounded by :data:`BUDGET`.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tanba.errors import TextNotEncodable
from tanba.model import Carrier
from tanba.report import Bucket, Finding, Layer
from tanba.text.binding import DataHashAssertion
from tanba.text.evidence import TextReading, read_marked
from tanba.text.normalize import decode, nfc
from tanba.trust import TrustStore

BUDGET = 256 << 20
"""Bytes that may be hashed in the search for an explanation."""

_MAX_TEXT = 16 << 20
"""Longer texts get the plain answer only."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The explanation, and the original when it could be restored."""

    findings: tuple[Finding, ...] = ()
    steps: tuple[str, ...] = ()
    """Codes of what was undone, in order."""
    restored: bytes | None = None
    """The content as it was signed, without its mark (in NFC for A.8)."""


Step = tuple[str, Callable[[str], str]]

_TYPOGRAPHY = str.maketrans(
    {
        "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'",
        "–": "-", "—": "-", "…": "...", "\u00a0": " ", "\u202f": " ",
    }
)  # fmt: skip
_STRAIGHT = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'"})
_LINE_IN_PARAGRAPH = re.compile(r"(?<=\S)[ \t]*\n[ \t]*(?=[^\s>#*\-])")
_ONLY_SPACE = "\n", "\r\n", " ", "\n\n", "\t", "\ufeff", "\r\n\r\n", " \n"


def examine(raw: bytes, reading: TextReading) -> Damage:
    """Explain a hard binding that does not hold. Nothing is returned when there is nothing to explain."""
    binding = reading.binding
    if binding is None or binding.intact or binding.assertion is None or len(raw) > _MAX_TEXT:
        return Damage()
    try:
        content = decode(reading.mark.span.cut(raw) if reading.mark and reading.mark.excluded else raw)
    except TextNotEncodable as error:
        return Damage((_note("tanba.text.not_utf8", f"the text is {error.message}"),))
    judge = _Judge(binding.assertion, normalise=_normalised(reading))
    for steps, candidate in _hypotheses(content):
        original = judge.match(candidate)
        if original is not None:
            return _explained(steps, candidate, original, reading)
        if judge.exhausted:
            break
    return Damage((_changed(content, binding.assertion, reading),))


def _normalised(reading: TextReading) -> bool:
    """A.8 hashes NFC; so does a store that once stood in a wrapper and now comes beside the text."""
    return reading.mark is None or reading.mark.carrier is Carrier.A8


@dataclass(slots=True)
class _Judge:
    """Compares candidates with the signed digest, within the budget."""

    assertion: DataHashAssertion
    normalise: bool
    spent: int = 0

    @property
    def exhausted(self) -> bool:
        return self.spent > BUDGET

    def match(self, candidate: str) -> bytes | None:
        try:
            data = candidate.encode()
            forms = (nfc(data), data) if self.normalise else (data,)
        except (UnicodeEncodeError, TextNotEncodable):
            return None
        for form in dict.fromkeys(forms):
            self.spent += len(form) + 64
            if hmac.compare_digest(hashlib.new(self.assertion.algorithm, form).digest(), self.assertion.digest):
                return form
        return None


def _hypotheses(content: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Kinds of damage, mildest first, alone and in the combinations that transports make."""
    yield (), content
    for code, changed in _normal_forms(content):
        yield from _with_ends_and_edges(code, changed)
    for code, change in _DEEPER:
        changed = change(content)
        if changed != content:
            yield from _with_ends_and_edges(code, changed)


def _with_ends_and_edges(code: str, text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Line ends alone explain more than white space at the edge, so they are tried first."""
    ends = tuple(_line_ends(text))
    for ends_code, other in ends:
        yield tuple(item for item in (code, ends_code) if item), other
    for ends_code, other in ends:
        for space_code, spaced in _edges(other):
            yield tuple(item for item in (code, ends_code, space_code) if item), spaced


def _normal_forms(text: str) -> Iterator[tuple[str, str]]:
    yield "", text
    if not text.isascii():
        for form in ("NFC", "NFD"):
            # The guard against quadratic normalisation is in nfc(); it has been passed by the binding check or fails.
            if _safe(text) and (other := unicodedata.normalize(form, text)) != text:
                yield "tanba.text.normalisation_changed", other


def _safe(text: str) -> bool:
    try:
        nfc(text.encode("utf-8", "replace"))
    except TextNotEncodable:
        return False
    return True


def _line_ends(text: str) -> Iterator[tuple[str, str]]:
    yield "", text
    code = "tanba.text.line_ends_changed"
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    for other in (plain, plain.replace("\n", "\r\n"), plain.replace("\n", "\r")):
        if other != text:
            yield code, other


def _edges(text: str) -> Iterator[tuple[str, str]]:
    added, trimmed = "tanba.text.white_space_added", "tanba.text.white_space_trimmed"
    bare = text.rstrip()
    lines = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    seen = {text}
    for other in (
        text.removesuffix("\n"),
        bare,
        text.strip(),
        bare + "\n",
        bare + "\r\n",
        text.lstrip("\ufeff"),
        lines,
    ):
        if other not in seen:
            seen.add(other)
            yield (added if len(other) < len(text) else trimmed), other
    for space in _ONLY_SPACE:
        for other in (text + space, space + text):
            if other not in seen:
                seen.add(other)
                yield trimmed, other


def _unrendered(text: str) -> str:
    """The text of rendered paragraphs, or the same text when there are none."""
    if not text.lstrip().startswith("<p>"):
        return text
    return html.unescape(re.sub(r"</?p>", "", re.sub(r"</p>\s*<p>", "\n\n", text)))


_DEEPER: tuple[Step, ...] = (
    ("tanba.text.entities_escaped", html.unescape),
    ("tanba.text.entities_unescaped", lambda text: html.escape(text, quote=False)),
    ("tanba.text.quotes_changed", lambda text: text.translate(_STRAIGHT)),
    ("tanba.text.quotes_changed", lambda text: text.translate(_TYPOGRAPHY)),
    ("tanba.text.rendered", _unrendered),
    ("tanba.text.rewrapped", lambda text: _LINE_IN_PARAGRAPH.sub(" ", text.replace("\r\n", "\n"))),
    ("tanba.text.quoted_in_mail", lambda text: re.sub(r"(?m)^>+ ?", "", text)),
    ("tanba.text.spaces_changed", lambda text: re.sub(r"[ \t]+", " ", text)),
    ("tanba.text.spaces_changed", lambda text: text.replace("\u00a0", " ")),
)


_WORDS = {
    "tanba.text.mark_moved": "the mark stands at another place than it was signed for",
    "tanba.text.mark_removed": "the text is what was signed; only its mark was taken out",
    "tanba.text.normalisation_changed": "Unicode normalisation changed (the same characters in another form)",
    "tanba.text.line_ends_changed": "line ends were converted",
    "tanba.text.white_space_added": "white space was added at the edge of the text or of lines",
    "tanba.text.white_space_trimmed": "white space was trimmed at the edge of the text",
    "tanba.text.entities_escaped": "characters were replaced by HTML entities",
    "tanba.text.entities_unescaped": "HTML entities were replaced by characters",
    "tanba.text.quotes_changed": "quotation marks, dashes or special spaces were made typographic",
    "tanba.text.rendered": "the text was rendered into HTML paragraphs",
    "tanba.text.rewrapped": "lines of a paragraph were wrapped anew",
    "tanba.text.quoted_in_mail": "the lines were quoted as in e-mail",
    "tanba.text.spaces_changed": "runs of spaces changed",
}


def _explained(steps: tuple[str, ...], candidate: str, original: bytes, reading: TextReading) -> Damage:
    if not steps and candidate.encode() != original:
        # The digest is over NFC, so a decomposed text matches at once; only its mark stands at another offset.
        steps = ("tanba.text.normalisation_changed",)
    if reading.mark is None and reading.binding and reading.binding.assertion and reading.binding.assertion.exclusions:
        steps = (*steps, "tanba.text.mark_removed")
    steps = steps or ("tanba.text.mark_moved",)
    digest = hashlib.sha256(original).hexdigest()
    findings = [_note(code, _WORDS[code]) for code in steps]
    summary = "intact after undoing: " + "; ".join(_WORDS[code] for code in steps)
    params = {"steps": list(steps), "sha256": digest}
    findings.append(
        Finding("tanba.text.restored", Bucket.INFORMATIONAL, Layer.TEXT, f"sha256 {digest}", summary, params)
    )
    return Damage(tuple(findings), steps, original)


def _changed(content: str, assertion: DataHashAssertion, reading: TextReading) -> Finding:
    params: dict[str, object] = {}
    words = "the words themselves were changed, not only their transport"
    suffix = reading.mark is not None and reading.mark.carrier is Carrier.A8 and len(assertion.exclusions) == 1
    if suffix:
        difference = len(content.encode("utf-8", "replace")) - assertion.exclusions[0].start
        params["bytes"] = difference
        length = (
            f"{abs(difference):,} bytes {'longer' if difference > 0 else 'shorter'} than"
            if difference
            else "as long as"
        )
        words += f"; the text is {length} when it was signed"
    return Finding("tanba.text.changed", Bucket.INFORMATIONAL, Layer.TEXT, None, words, params)


def _note(code: str, text: str) -> Finding:
    return Finding(code, Bucket.INFORMATIONAL, Layer.TEXT, None, text)


def repaired(raw: bytes, media_type: str, reading: TextReading) -> bytes | None:
    """The whole file as it was signed, mark included, proved by reading it again; None when that cannot be had."""
    damage = examine(raw, reading)
    binding, mark = reading.binding, reading.mark
    if damage.restored is None or mark is None or binding is None or binding.assertion is None:
        return None
    start = binding.assertion.exclusions[0].start if binding.assertion.exclusions else 0
    held = raw[mark.span.start : mark.span.end]
    forms = (held, held.replace(b"\r\n", b"\n"), held.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    for form in dict.fromkeys(forms):
        whole = damage.restored[:start] + form + damage.restored[start:]
        if read_marked(whole, media_type, trust=TrustStore.empty()).evidence.state in ("Valid", "Trusted"):
            return whole
    return None
