"""Bodies of requests and answers in the words of ``docs/contracts.md``, with examples for the API documentation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from service.db.models import Case, CaseState, Label
from service.usecases.contests import Reason
from tanba.wire import rfc3339

_SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_URN = "urn:c2pa:0b6a4b52-8a6e-4c39-9d8f-2f6f2f0a7c11"

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
AskedSha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F]{64}$"), AfterValidator(str.lower)]
"""As callers write it: Windows prints capitals."""


def _refuse_nul(value: Any) -> Any:
    # PostgreSQL cannot store U+0000 in text, and no statement needs it.
    if isinstance(value, str) and "\x00" in value:
        raise ValueError("U+0000 is not allowed")
    return value


Statement = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000), BeforeValidator(_refuse_nul)
]


class Receipt(BaseModel):
    """The receipt of a label, `tanba.receipt/1`."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "schema": "tanba.receipt/1",
                "label_id": _URN,
                "input_sha256": _SHA,
                "output_sha256": _SHA,
                "manifest_sha256": _SHA,
                "media_type": "image/jpeg",
                "carrier": "embedded",
                "profile": ["kz"],
                "layers": ["c2pa", "iptc"],
                "identity": {"name": "development", "fingerprint": _SHA},
                "claimed_at": "2026-11-23T10:00:00Z",
                "timestamp": None,
                "bindings": [],
                "log": {"index": 0, "size": 1, "entry": {}, "proof": [], "checkpoint": "127.0.0.1:8000/log\n1\n…"},
                "output": f"http://127.0.0.1:8000/v1/labels/{_URN}/content",
            }
        },
    )

    schema_: Literal["tanba.receipt/1"] = Field(alias="schema")
    label_id: str
    input_sha256: Sha256
    output_sha256: Sha256
    manifest_sha256: Sha256
    media_type: str
    carrier: str
    profile: list[str]
    layers: list[str]
    identity: dict[str, Any]
    claimed_at: datetime
    timestamp: dict[str, Any] | None
    bindings: list[dict[str, Any]]
    log: dict[str, Any] | None
    output: str | None


class LabelRecord(BaseModel):
    """What the service keeps about a label, and its status now."""

    label_id: str
    state: Literal["issued", "withdrawn"]
    issued_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    disclosure: dict[str, Any] = Field(description="What was stated; the text of a prompt is never kept here.")
    content_until: datetime | None = Field(description="Until when the labelled bytes can be downloaded.")
    receipt: Receipt


class LabelStatus(BaseModel):
    """Whether a label still stands, and whether anyone contests it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "label_id": _URN,
                "state": "withdrawn",
                "issued_at": "2026-11-23T10:00:00Z",
                "withdrawn_at": "2026-11-24T09:00:00Z",
                "withdrawn_reason": "the wrong image was sent for labelling",
                "contests": {"upheld": 1},
            }
        }
    )

    label_id: str
    state: Literal["issued", "withdrawn"]
    issued_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    contests: dict[str, int] = Field(description="Number of contests by state.")


class Found(BaseModel):
    """Answer to "did you label this?"."""

    sha256: Sha256
    labels: list[LabelRecord] = Field(description="Newest first; empty when nothing was issued for this hash.")
    note: str = "an empty list says nothing about the content: it may carry another label, or none"


class Withdrawal(BaseModel):
    """Why a label is taken back."""

    model_config = ConfigDict(json_schema_extra={"example": {"reason": "the wrong image was sent for labelling"}})

    reason: Statement


class Contest(BaseModel):
    """Someone disagrees with a label. Write no names or addresses; none are needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "reason": "not_ai",
                "statement": "I took this photo on 3 May; the raw file exists.",
                "lang": "en",
            }
        }
    )

    reason: Reason
    statement: Statement
    lang: Literal["kk", "ru", "en"] = "en"


class CaseView(BaseModel):
    """A contest as its reader sees it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "number": "K7Q2-9FMX-4TBA",
                "label_id": _URN,
                "state": "open",
                "reason": "not_ai",
                "opened_at": "2026-11-23T10:00:00Z",
                "answer": None,
                "answered_at": None,
                "follow": "/v1/contests/K7Q2-9FMX-4TBA",
            }
        }
    )

    number: str = Field(description="Keep it: it is the only way to follow the case.")
    label_id: str
    state: CaseState
    reason: Reason
    opened_at: datetime
    answer: str | None
    answered_at: datetime | None
    follow: str


class OperatorCase(CaseView):
    """A contest as an operator sees it."""

    statement: str
    lang: str


class CaseAnswer(BaseModel):
    """An operator's step in a case."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"state": "upheld", "answer": "You are right; the label was withdrawn."}}
    )

    state: Literal["in_review", "upheld", "rejected"]
    answer: Statement | None = None


class Url(BaseModel):
    """An address to fetch and verify."""

    model_config = ConfigDict(json_schema_extra={"example": {"url": "https://example.org/photo.jpg"}})

    url: str = Field(max_length=2048)


class BatchItem(BaseModel):
    """One of `sha256` (asked from the cache) or `url` (fetched)."""

    model_config = ConfigDict(extra="forbid")

    sha256: AskedSha256 | None = None
    url: str | None = Field(default=None, max_length=2048)


class Batch(BaseModel):
    """Up to 100 questions at once."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [{"sha256": _SHA}]}})

    items: list[BatchItem] = Field(min_length=1, max_length=100)


class BatchResult(BaseModel):
    """The answer to one item: a report, or a problem with the status it would have had alone."""

    index: int
    status: int
    report: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None


class BatchAnswer(BaseModel):
    """Answers in the order of the questions."""

    items: list[BatchResult]


class Report(BaseModel):
    """The verification report, `tanba.report/1`; readers keep fields they do not know."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "schema": "tanba.report/1",
                "asset": {"name": "labelled.jpg", "sha256": _SHA, "size": 48349, "media_type": "image/jpeg"},
                "verdict": "valid",
                "answers": {
                    "integrity": {"state": "intact", "codes": ["assertion.dataHash.match"]},
                    "signer": {
                        "state": "unknown",
                        "name": "Example",
                        "organization": "Example LLP",
                        "serial": "14e2",
                        "fingerprint": _SHA,
                        "list": None,
                    },
                    "time": {
                        "state": "claimed",
                        "signed_at": "2026-11-23T10:00:00Z",
                        "source": "claim",
                        "authority": None,
                        "as_of": None,
                    },
                    "revocation": {"state": "not_checked", "since": None, "reason": None},
                    "ai": {
                        "state": "generated",
                        "strength": "signed",
                        "statements": [
                            {
                                "layer": "c2pa",
                                "what": "trainedAlgorithmicMedia",
                                "who": "Example LLP",
                                "strength": "signed",
                            }
                        ],
                    },
                },
                "layers": [{"kind": "c2pa", "state": "found"}, {"kind": "watermark", "state": "not_checked"}],
                "history": [],
                "findings": [
                    {
                        "code": "signingCredential.untrusted",
                        "bucket": "failure",
                        "layer": "c2pa",
                        "subject": None,
                        "text": None,
                    }
                ],
                "recoveries": [],
                "policy": None,
                "basis": {"tanba": "0.1.0", "trust_lists": [], "network": False, "checked_at": "2026-11-23T10:05:00Z"},
                "note": "Says who signed and what they state, not whether it is true.",
                "label": {"id": _URN, "state": "issued", "issued_at": "2026-11-23T10:00:00Z", "withdrawn_at": None},
            }
        },
    )

    schema_: Literal["tanba.report/1"] = Field(alias="schema")
    asset: dict[str, Any]
    verdict: Literal["trusted", "valid", "invalid", "recovered", "unmarked", "unchecked"] = Field(
        description="`unmarked` means that nothing was found; it never means made by a human."
    )
    answers: dict[str, Any]
    layers: list[dict[str, Any]]
    history: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    recoveries: list[dict[str, Any]]
    policy: dict[str, Any] | None
    basis: dict[str, Any] | None
    note: str
    label: dict[str, Any] | None = Field(
        default=None, description="When this service issued the label: its id and state (issued or withdrawn)."
    )


def record(row: Label) -> LabelRecord:
    """A label row as its answer."""
    return LabelRecord(
        label_id=row.id,
        state=row.state,  # type: ignore[arg-type] # the column holds exactly these words
        issued_at=row.created_at,
        withdrawn_at=row.withdrawn_at,
        withdrawn_reason=row.withdrawn_reason,
        disclosure=row.disclosure,
        content_until=row.content_until,
        receipt=Receipt.model_validate(row.receipt),
    )


def case_view(case: Case) -> CaseView:
    """A case as its reader sees it."""
    return CaseView(**_case(case))


def operator_case(case: Case) -> OperatorCase:
    """A case as an operator sees it."""
    return OperatorCase(**_case(case), statement=case.statement, lang=case.language)


def _case(case: Case) -> dict[str, Any]:
    return {
        "number": case.number,
        "label_id": case.label_id,
        "state": case.state,
        "reason": case.reason,
        "opened_at": rfc3339(case.created_at),
        "answer": case.answer,
        "answered_at": case.answered_at,
        "follow": f"/v1/contests/{case.number}",
    }
