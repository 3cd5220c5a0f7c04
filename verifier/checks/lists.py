"""Are the user's trust lists fit to answer? Missing, old and frozen lists are said loudly, never left to look like
"unknown signer".
"""

from __future__ import annotations

from datetime import date, datetime

from tanba.report import Bucket, Finding, Layer, SignerState, TimeState
from tanba.trust import Purpose, TrustStore
from tanba.trustdir import OLD_AFTER_DAYS


def findings(trust: TrustStore, signer: SignerState, time: TimeState, now: datetime) -> tuple[Finding, ...]:
    """What to say about the lists for a file whose signer and time answers are known. ``now`` is aware.

    Nothing is said about an unlabelled file: no list would have changed the answer.
    """
    if signer is SignerState.ABSENT:
        return ()
    found: list[Finding] = []
    if not trust.of(Purpose.MANIFEST):
        found.append(_note("no_lists"))
    if not trust.of(Purpose.TSA) and time is not TimeState.TIMESTAMPED:
        found.append(_note("no_tsa_list"))
    for item in trust.lists:
        days = _age(item.date, now)
        if item.frozen:
            found.append(_note("list_frozen", list=item.name))
        elif not item.dated:
            found.append(_note("list_undated", list=item.name, date=item.date or ""))
        elif days is not None and days > OLD_AFTER_DAYS:
            found.append(_note("list_old", list=item.name, days=days, date=item.date or ""))
    return tuple(found)


def _age(day: str | None, now: datetime) -> int | None:
    try:
        return (now.date() - date.fromisoformat(day)).days if day else None
    except ValueError:
        return None


def _note(what: str, **params: str | int) -> Finding:
    subject = params.get("list")
    return Finding(
        f"tanba.trust.{what}",
        Bucket.INFORMATIONAL,
        Layer.TANBA,
        subject=subject if isinstance(subject, str) else None,
        params=params,
    )
