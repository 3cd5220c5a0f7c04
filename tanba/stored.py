"""Reports that were written as JSON, back as values: ledgers, filed reports, rows of a service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from tanba.errors import MalformedAsset
from tanba.report import VerificationReport

SCHEMA = "tanba.report/1"


def load_report(body: Mapping[str, Any]) -> VerificationReport:
    """A report from its JSON object; fields of later versions are left out.

    Raises :class:`MalformedAsset` for anything that is no report of a version we know.
    """
    from pydantic import ValidationError

    if body.get("schema") != SCHEMA:
        raise MalformedAsset("this is no Tanba report", code="tanba.report.unknown_schema", hint=f"expected {SCHEMA}")
    try:
        report: VerificationReport = _adapter().validate_python(body)
    except (ValidationError, RecursionError) as error:
        raise MalformedAsset("the report does not parse", code="tanba.report.malformed") from error
    return report


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(VerificationReport)
