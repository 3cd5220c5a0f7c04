"""Exit codes of ``tanba`` (``docs/contracts.md``): the one table from verdicts and errors to numbers."""

from __future__ import annotations

from collections.abc import Iterable

from tanba import errors
from tanba.report import Verdict, VerificationReport

OK = 0
LABEL_FAILS = 1
USAGE = 2
NO_LABEL = 3
RECOVERED = 4
COULD_NOT = 5
BUG = 70

GRAVEST_FIRST = (BUG, COULD_NOT, LABEL_FAILS, RECOVERED, NO_LABEL, OK)

_ERRORS: tuple[tuple[type[errors.TanbaError], int], ...] = (
    (errors.UsageError, USAGE),
    (errors.RequirementUnmet, USAGE),
    (errors.PolicyNotMet, LABEL_FAILS),
    (errors.AlreadyLabelled, LABEL_FAILS),
    (errors.InstallationError, BUG),
    (errors.EngineError, BUG),
    (errors.TanbaError, COULD_NOT),
)


def for_error(error: BaseException) -> int:
    """The exit code of an exception; anything that is not a :class:`TanbaError` is a bug of ours."""
    return next((code for kind, code in _ERRORS if isinstance(error, kind)), BUG)


def for_report(report: VerificationReport, required: Verdict = Verdict.VALID) -> int:
    """The exit code of one verification against ``--require``."""
    match report.verdict:
        case Verdict.UNCHECKED:
            return COULD_NOT
        case Verdict.RECOVERED:
            return RECOVERED
        case Verdict.UNMARKED:
            return NO_LABEL
        case _:
            return OK if report.at_least(required) else LABEL_FAILS


def gravest(codes: Iterable[int]) -> int:
    """The code for several files: the gravest wins; 0 for none."""
    seen = set(codes)
    return next((code for code in GRAVEST_FIRST if code in seen), OK)
