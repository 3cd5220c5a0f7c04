"""``tanba verify --sign``: the report as a statement signed by the reporter's own identity.

This module builds the payload and asks :mod:`tanba.hooks` for a signer, because the verifying half holds no key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tanba import __version__, statement
from tanba.errors import MalformedAsset
from tanba.protocols import Signer
from tanba.report import VerificationReport
from tanba.wire import rfc3339, to_plain
from verifier.checks.signer import moment

SCHEMA = "tanba.statement/1"
SUFFIX = ".tanba-report.json"
_HERE = "-"
"""Value of ``--sign`` without a file name."""


def sign_report(report: VerificationReport, source: str, options: Mapping[str, Any]) -> Path:
    """Sign and write beside the current directory or where ``--sign FILE`` says; returns the file.

    Raises :class:`tanba.errors.CredentialError` and :class:`tanba.errors.TimestampError`.
    """
    import os

    from tanba import hooks
    from tanba.config import timestamp_urls
    from verifier.output import write_atomically

    wanted = str(options["sign_path"])
    name = "report" if source == "-" else Path(source).name
    target = Path(name + SUFFIX) if wanted == _HERE else Path(wanted)
    urls = timestamp_urls(os.environ)
    with hooks.open_signer(options.get("identity")) as signer:
        write_atomically(target, signed(report, signer, urls=urls))
    return target


def signed(
    report: VerificationReport, signer: Signer, *, urls: Sequence[str] = (), now: datetime | None = None
) -> bytes:
    """The signed statement over a report; with ``urls``, RFC 3161 authorities, it is time stamped too."""
    from tanba import hooks

    stamp = (lambda data: hooks.stamp(data, urls)) if urls else None
    return statement.build(payload(report, now or datetime.now(UTC)), signer, stamp=stamp)


def payload(report: VerificationReport, now: datetime) -> dict[str, Any]:
    """What is signed: what was checked, by which program, when, and the whole report."""
    return {
        "schema": SCHEMA,
        "subject": to_plain(report.asset),
        "detector": {"name": "tanba", "version": __version__, "engines": to_plain(report.basis.engines)}
        if report.basis
        else {"name": "tanba", "version": __version__},
        "issued_at": rfc3339(now.replace(microsecond=0)),
        "verdict": report.verdict.value,
        "report": to_plain(report),
    }


def issued_at(body: Mapping[str, Any]) -> datetime:
    """The signer's own time of a statement. Raises :class:`MalformedAsset` when it has none."""
    found = moment(body.get("issued_at"))
    if body.get("schema") != SCHEMA or found is None:
        raise MalformedAsset("this is no Tanba report statement", code="tanba.report.malformed")
    return found
