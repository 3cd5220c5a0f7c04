"""From facts to one word: a pure, table-driven function, and nothing else here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tanba.engine.read import EvidenceStatus
from tanba.report import Bucket, Finding, Verdict

_BY_STATUS: Mapping[EvidenceStatus, Verdict] = {
    EvidenceStatus.ABSENT: Verdict.UNMARKED,
    EvidenceStatus.REMOTE_ONLY: Verdict.UNCHECKED,
    EvidenceStatus.UNSUPPORTED: Verdict.UNCHECKED,
    EvidenceStatus.UNREADABLE: Verdict.UNCHECKED,
    EvidenceStatus.OVER_LIMIT: Verdict.UNCHECKED,
    EvidenceStatus.MALFORMED: Verdict.INVALID,
}
_BY_STATE: Mapping[str | None, Verdict] = {
    "Trusted": Verdict.TRUSTED,
    "Valid": Verdict.VALID,
    "Invalid": Verdict.INVALID,
    None: Verdict.INVALID,
}


def decide(status: EvidenceStatus, state: str | None, findings: Iterable[Finding]) -> Verdict:
    """The verdict for one file.

    ``state`` is the validation state of C2PA 2.4 section 14.3 (``Invalid``, ``Valid``, ``Trusted``), from the engine
    or from our own evaluation as of another moment. A failure of our own (``tanba.*``) makes a present label invalid;
    it can never turn a missing one into a present one. ``recovered`` is decided by recovery alone.
    """
    if status is not EvidenceStatus.FOUND:
        return _BY_STATUS[status]
    own = any(item.bucket is Bucket.FAILURE and item.code.startswith("tanba.") for item in findings)
    return Verdict.INVALID if own else _BY_STATE.get(state, Verdict.INVALID)
