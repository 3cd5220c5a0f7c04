"""Asking the issuing service whether a label still stands (``tanba verify --service URL``).

Only numbers of labels are sent; they stand in the file anyway. Anybody can write a number of somebody else's label into a
manifest of their own, so the answer counts only for a label that holds and was signed with the certificate in the
service's record. The verdict stays what the file says: a withdrawn label, the newest or one in the history, is a finding
that readers are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeGuard

from tanba.errors import TanbaError
from tanba.report import Bucket, Finding, HistoryNode, IntegrityState, Layer, VerificationReport

_NUMBER = "urn:c2pa:"
_KNOWN = 10_000
_MOST = 64
"""Labels of one file that are asked about, the newest first."""
_HOLDS = frozenset({"trusted", "valid"})


class Registry(Protocol):
    """Whoever holds the records; in practice :class:`tanba.client.Client`."""

    def get(self, label_id: str) -> Mapping[str, Any]:
        """The record of a label. Raises :class:`tanba.errors.TanbaError`; code ``tanba.label.not_found``."""


@dataclass(frozen=True, slots=True)
class Told:
    """A label that a file carries and that holds."""

    number: str
    fingerprint: str
    """SHA-256 of the certificate that signed it."""
    title: str | None
    newest: bool
    """Whether it is the file's own; the others are in its history."""

    def withdrawn(self, at: str, reason: object) -> Finding:
        """What readers are told when it was withdrawn; ``at`` is RFC 3339."""
        params = {"at": at, "day": at[:10], "reason": reason}
        if self.newest:
            return _finding("tanba.label.withdrawn", self.number, params, "the issuer withdrew this label")
        params["title"] = self.title or self.number
        words = "the issuer withdrew a label in the history of this file"
        return _finding("tanba.label.ingredient_withdrawn", self.number, params, words)


def told(report: VerificationReport) -> tuple[Told, ...]:
    """The labels that a report speaks of, the newest first; none when the newest is not intact."""
    if not report.history or report.answers.integrity.state is not IntegrityState.INTACT:
        return ()
    newest, signer = report.history[0], report.answers.signer.fingerprint
    found: dict[str, Told] = {}
    if _ours(newest.label) and signer:
        found[newest.label] = Told(newest.label, signer, newest.title, newest=True)
    for node in _below(newest):
        if _ours(node.label) and node.fingerprint and node.state in _HOLDS and len(found) < _MOST:
            found.setdefault(node.label, Told(node.label, node.fingerprint, node.title, newest=False))
    return tuple(found.values())


def _ours(number: str | None) -> TypeGuard[str]:
    return number is not None and number.startswith(_NUMBER)


def _below(node: HistoryNode) -> Iterator[HistoryNode]:
    waiting = [*reversed(node.ingredients)]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(found.ingredients)


class Issuer:
    """One service that is asked, each label once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, Mapping[str, Any] | TanbaError | None] = {}

    def complete(self, report: VerificationReport) -> VerificationReport:
        """The report with what the service says about its labels; unchanged when it holds none."""
        labels = told(report)
        if not labels:
            return report
        findings = [finding for label in labels if (finding := self._finding(label)) is not None]
        return replace(_asked(report), findings=(*report.findings, *findings))

    def _finding(self, label: Told) -> Finding | None:
        found = self._ask(label.number)
        if isinstance(found, TanbaError):
            return _finding("tanba.label.status_unknown", label.number, {"cause": found.code})
        if found is None or found.get("state") != "withdrawn" or not _same_signer(found, label):
            return None
        return label.withdrawn(str(found.get("withdrawn_at") or ""), found.get("withdrawn_reason"))

    def _ask(self, number: str) -> Mapping[str, Any] | TanbaError | None:
        if number not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            try:
                self._known[number] = self._registry.get(number)
            except TanbaError as error:
                self._known[number] = None if error.code == "tanba.label.not_found" else error
        return self._known[number]


def _same_signer(record: Mapping[str, Any], label: Told) -> bool:
    identity = (record.get("receipt") or {}).get("identity") or {}
    return bool(identity.get("fingerprint") == label.fingerprint)


def _asked(report: VerificationReport) -> VerificationReport:
    return replace(report, basis=replace(report.basis, network=True)) if report.basis else report


def _finding(code: str, number: str, params: Mapping[str, Any], text: str | None = None) -> Finding:
    return Finding(code, Bucket.INFORMATIONAL, Layer.TANBA, subject=number, text=text, params=params)
