"""Is a quotation in a labelled text? A quote is held against the label of the text it is said to come from.

The label must list its paragraphs (``tanba label --sections``, docs/text.md). The engine checks its signature; the verdict
on the quote as a whole file is `invalid` unless it is the whole text, and says nothing against the quote.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tanba.asset import Asset
from tanba.errors import UsageError
from tanba.formats.sniff import Kind
from tanba.i18n import sentence
from tanba.report import Bucket, Finding, SignerState, VerificationReport
from tanba.text.evidence import read_marked
from tanba.text.locate import locate
from tanba.trust import TrustStore
from tanba.wire import to_plain
from verifier.procedure import Settings, verify_asset
from verifier.render.notes import note
from verifier.render.words import signer_sentence
from verifier.render.words import words as shown


class Quotation(StrEnum):
    """What became of the paragraphs of a quote."""

    WHOLE = "whole"
    """The quote is the labelled text itself, unchanged."""
    UNCHANGED = "unchanged"
    """Every paragraph of the quote stands in the labelled text like this."""
    MIXED = "mixed"
    """Some do."""
    NONE = "none"
    """None does."""
    NOT_LISTED = "not_listed"
    """The label lists no paragraphs, so that only the whole text can be compared."""
    UNPROVEN = "unproven"
    """The label's own signature or assertions do not hold, so its list proves nothing."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The answer for one quote."""

    quotation: Quotation
    report: VerificationReport
    """The quote verified against the label: who signed, whether anybody vouches, what is unchanged."""
    finding: Finding | None
    """``tanba.text.sections_unchanged`` or ``tanba.text.sections_none``, with the numbers."""


def examine(quote: Asset, source: Asset, settings: Settings) -> Quote | None:
    """Hold ``quote`` against the label of ``source``, a labelled text or a manifest store; None when it has no label.

    A mark that the quote carries itself is left aside. Raises :class:`UsageError` for anything but text.
    """
    if quote.format.kind is not Kind.TEXT:
        raise UsageError(f"{quote.name or 'the quote'} is no text", hint="paste the quoted paragraphs into a file")
    store = _store(source, settings)
    if store is None:
        return None
    raw = quote.read()
    for mark in reversed(locate(raw, quote.format.media_type).marks):
        raw = mark.span.cut(raw)
    bare = Asset(name=quote.name, format=quote.format, size=len(raw), data=raw)
    report = verify_asset(bare, settings, manifest=store)
    found = next((item for item in report.findings if item.code.startswith("tanba.text.sections_")), None)
    return Quote(_quotation(report, found), report, found)


def _store(source: Asset, settings: Settings) -> bytes | None:
    if source.format.kind is Kind.STORE:
        return source.read()
    if source.format.kind is not Kind.TEXT:
        raise UsageError(
            f"{source.name} is neither a labelled text nor a manifest store", hint="give the article or its .c2pa"
        )
    reading = read_marked(source.read(), source.format.media_type, trust=TrustStore.empty(), limits=settings.limits)
    return reading.mark.store if reading.mark is not None else None


def _quotation(report: VerificationReport, found: Finding | None) -> Quotation:
    if report.verdict.value in ("trusted", "valid"):
        return Quotation.WHOLE
    if found is None:
        proven = any(
            item.code == "claimSignature.validated" and item.bucket is Bucket.SUCCESS for item in report.findings
        )
        tampered = any(
            item.code.startswith("assertion.hashedURI") and item.bucket is Bucket.FAILURE for item in report.findings
        )
        return Quotation.NOT_LISTED if proven and not tampered else Quotation.UNPROVEN
    if report.answers.signer.state in (SignerState.INVALID, SignerState.ABSENT):
        return Quotation.UNPROVEN
    if found.code.endswith("_none"):
        return Quotation.NONE
    return Quotation.MIXED if found.params["foreign"] else Quotation.UNCHANGED


def words(quote: Quote, lang: str) -> tuple[str, ...]:
    """The answer in sentences: what is unchanged, who signed it and when, and what this does not tell."""
    said = sentence(f"quote-{quote.quotation.value}", lang) if quote.quotation in _OWN_WORDS else ""
    if not said and quote.finding is not None:
        said = note(quote.finding, lang)
    if quote.quotation is Quotation.UNPROVEN:
        return (said, signer_sentence(quote.report, lang))
    time = next(item.text for item in shown(quote.report, lang).answers if item.name == "time")
    return (said, signer_sentence(quote.report, lang), time, sentence("quote-limit", lang))


_OWN_WORDS = (Quotation.WHOLE, Quotation.NOT_LISTED, Quotation.UNPROVEN)


def document(quote: Quote) -> dict[str, Any]:
    """The answer for programs (``tanba.quote/1``)."""
    details = quote.finding.params if quote.finding is not None else {}
    return {
        "schema": "tanba.quote/1",
        "quotation": quote.quotation.value,
        "unchanged": details.get("numbers", ""),
        "of": details.get("total"),
        "not_from_it": details.get("foreign_numbers", ""),
        "in_order": details.get("in_order", "yes") == "yes",
        "signer": to_plain(quote.report.answers.signer),
        "time": to_plain(quote.report.answers.time),
    }
