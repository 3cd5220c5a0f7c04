"""A report as the service holds it: written as JSON once, in the worker that made it, beside the little that is acted on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tanba.processes import light
from tanba.report import TimeState, VerificationReport
from tanba.stored import load_report
from tanba.wire import to_compact
from verifier.issuer import Told, told

_NEGATIVE_SECONDS = 300
"""How long "no label" or "could not check" is remembered: short, because readers and lists get better."""


@dataclass(frozen=True, slots=True)
class Written:
    """One report without a file name."""

    body: bytes
    """JSON, ready to send."""
    verdict: str
    ends: datetime | None
    """When the signer's certificate ends, where no time stamp would hold the label beyond that."""
    labels: tuple[Told, ...]
    """The labels in it that hold, of which some may be ours."""

    def plain(self) -> dict[str, Any]:
        """The report as JSON types."""
        found: dict[str, Any] = json.loads(self.body)
        return found

    def lifetime(self, now: datetime, longest: int) -> float:
        """Seconds for which it stays true: never past the end of an un-time-stamped signer's certificate."""
        if self.verdict not in {"valid", "trusted", "invalid"}:
            return min(longest, _NEGATIVE_SECONDS)
        left = (self.ends - now).total_seconds() if self.ends is not None else 0
        return min(longest, left) if left > 0 else float(longest)


light(Written, Told)


def write(report: VerificationReport) -> Written:
    """A report that was just made."""
    body = to_compact(replace(report, asset=replace(report.asset, name=None)))
    return Written(body, report.verdict.value, _ends(report), told(report))


def written_before(plain: Mapping[str, Any]) -> Written:
    """A report out of the database."""
    report = load_report(plain)
    return Written(to_compact(plain), report.verdict.value, _ends(report), told(report))


def with_name(body: bytes, name: str | None) -> bytes:
    """A written report with a file name in it. Nothing out of a file stands before the asset's name, which is null."""
    if name is None:
        return body
    before, mark, after = body.partition(b'"asset":{"name":')
    return before + mark + json.dumps(name).encode() + after.removeprefix(b"null")


def _ends(report: VerificationReport) -> datetime | None:
    return report.answers.signer.not_after if report.answers.time.state is not TimeState.TIMESTAMPED else None
