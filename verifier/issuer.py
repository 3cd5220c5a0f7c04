"""Asking the issuing service whether a label still stands (``tanba verify --service URL``).

Only the label's number is sent; it stands in the file anyway. Anybody can write a number of somebody else's label into a
manifest of their own, so the answer counts only for an intact label that was signed with the certificate in the
service's record. The verdict stays what the file says: a withdrawn label is a finding that readers are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from tanba.errors import TanbaError
from tanba.report import Bucket, Finding, IntegrityState, Layer, VerificationReport

_NUMBER = "urn:c2pa:"
_KNOWN = 10_000


class Registry(Protocol):
    """Whoever holds the records; in practice :class:`tanba.client.Client`."""

    def get(self, label_id: str) -> Mapping[str, Any]:
        """The record of a label. Raises :class:`tanba.errors.TanbaError`; code ``tanba.label.not_found``."""


class Issuer:
    """One service that is asked, each label once."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._known: dict[str, Mapping[str, Any] | TanbaError | None] = {}

    def complete(self, report: VerificationReport) -> VerificationReport:
        """The report with what the service says about its label; unchanged for labels that are not the service's."""
        number = report.history[0].label if report.history else None
        if not number or not number.startswith(_NUMBER) or report.answers.integrity.state is not IntegrityState.INTACT:
            return report
        found = self._ask(number)
        if isinstance(found, TanbaError):
            finding = _finding("tanba.label.status_unknown", number, {"cause": found.code})
        elif found is None or not _same_signer(found, report) or found.get("state") != "withdrawn":
            return _asked(report)
        else:
            at = str(found.get("withdrawn_at") or "")
            params = {"at": at, "day": at[:10], "reason": found.get("withdrawn_reason")}
            finding = _finding("tanba.label.withdrawn", number, params)
        return replace(_asked(report), findings=(*report.findings, finding))

    def _ask(self, number: str) -> Mapping[str, Any] | TanbaError | None:
        if number not in self._known:
            if len(self._known) >= _KNOWN:
                self._known.clear()
            try:
                self._known[number] = self._registry.get(number)
            except TanbaError as error:
                self._known[number] = None if error.code == "tanba.label.not_found" else error
        return self._known[number]


def _same_signer(record: Mapping[str, Any], report: VerificationReport) -> bool:
    identity = (record.get("receipt") or {}).get("identity") or {}
    mine = report.answers.signer.fingerprint
    return mine is not None and identity.get("fingerprint") == mine


def _asked(report: VerificationReport) -> VerificationReport:
    return replace(report, basis=replace(report.basis, network=True)) if report.basis else report


def _finding(code: str, number: str, params: Mapping[str, Any]) -> Finding:
    return Finding(code, Bucket.INFORMATIONAL, Layer.TANBA, subject=number, params=params)
