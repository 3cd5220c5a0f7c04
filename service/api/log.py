"""The label log over HTTP: public, read-only, cacheable. It shows hashes; records stand in receipts and exports."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.params import Depends
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from service.db.session import Database
from service.log import LabelLog, store
from service.log.source import PAGE, public_proof
from service.problems import NotFound, documented
from tanba.errors import InputError

_BIG = (1 << 53) - 1  # the largest integer that every JSON reader keeps exact
Start = Annotated[int, Query(ge=0, le=_BIG, description="First entry.")]
End = Annotated[int, Query(ge=0, le=_BIG, description="Entry behind the last one.")]


class LogIdentity(BaseModel):
    """Which log this is."""

    origin: str = Field(description="The log's identity, the first line of every checkpoint.")
    key: str = Field(description="Public key in the note format (c2sp.org/signed-note). Pin it.")
    size: int = Field(description="Entries now.")


class EntryProof(BaseModel):
    """One entry, proved."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "index": 0,
                "size": 1,
                "leaf_hash": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "proof": [],
                "checkpoint": "tanba.local/log\n1\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\n— tanba.local/log …\n",
            }
        }
    )

    index: int
    size: int = Field(description="Size of the log that the proof is for.")
    leaf_hash: str = Field(description="SHA-256 of 0x00 and the record (RFC 6962).")
    proof: list[str] = Field(description="Audit path, leaf side first, hex.")
    checkpoint: str = Field(description="Signed note (c2sp.org/tlog-checkpoint) for that size.")


class Entries(BaseModel):
    """Leaf hashes of a stretch of the log."""

    start: int
    leaf_hashes: list[str]


class Consistency(BaseModel):
    """The proof that one log continues another (RFC 6962 §2.1.2)."""

    old: int = Field(alias="from")
    new: int = Field(alias="to")
    proof: list[str]


def router(database: Database, log: LabelLog, *, guards: Sequence[Depends] = ()) -> APIRouter:
    """The routes under ``/v1/log``; ``guards`` run before each of them."""
    routes = APIRouter(
        prefix="/v1/log",
        tags=["label log"],
        responses=documented(401, 410, 422, 429, 500, 503),
        dependencies=guards,
    )

    @routes.get("", summary="Identity, key and size of the log")
    def identity() -> LogIdentity:
        """Pin the key from a source other than this service."""
        with database.read() as session:
            return LogIdentity(origin=log.origin, key=log.key, size=store.size(session))

    @routes.get("/checkpoint", response_class=PlainTextResponse, summary="The current signed tree head")
    def checkpoint() -> PlainTextResponse:
        """A signed note (c2sp.org/tlog-checkpoint): origin, size and root hash. Keep it; two that contradict each other are
        evidence.
        """
        with database.read() as session:
            note = log.checkpoint(session)
        return PlainTextResponse(note, headers={"Cache-Control": "no-cache"})

    @routes.get("/entries", summary=f"Leaf hashes, at most {PAGE} at once")
    def entries(start: Start = 0, end: End = PAGE) -> Entries:
        """For an audit: hashed together they must make the signed root. Fewer come back at the end of the log."""
        with database.read() as session:
            found = store.leaves(session, start, min(end, start + PAGE))
        return Entries(start=start, leaf_hashes=[value.hex() for value in found])

    @routes.get("/entries/{index}", summary="One entry with its inclusion proof", responses=documented(404))
    def entry(
        index: Annotated[int, Path(ge=0, le=_BIG, description="Number of the entry, from 0.")],
        size: Annotated[int | None, Query(ge=1, le=_BIG, description="For the log of this size.")] = None,
    ) -> EntryProof:
        """The leaf hash, the audit path and the checkpoint it leads to; what was logged stands in the label's receipt."""
        with database.read() as session:
            try:
                return EntryProof(**public_proof(session, log, index, size))
            except InputError as error:
                raise _not_found(error) from error

    @routes.get("/consistency", summary="Proof that the larger log continues the smaller", responses=documented(404))
    def consistency(
        old: Annotated[int, Query(alias="from", ge=0, le=_BIG, description="Size of the smaller log.")],
        new: Annotated[int, Query(alias="to", ge=0, le=_BIG, description="Size of the larger log.")],
    ) -> Consistency:
        """Nothing was changed or dropped between the two (RFC 9162 §2.1.4.2 says how to check)."""
        with database.read() as session:
            try:
                proof = store.consistency_proof(session, old, new)
            except InputError as error:
                raise _not_found(error) from error
        return Consistency.model_validate({"from": old, "to": new, "proof": [value.hex() for value in proof]})

    return routes


def _not_found(error: InputError) -> NotFound:
    return NotFound(error.message, code=error.code, hint="see /v1/log/checkpoint for the size of the log")
