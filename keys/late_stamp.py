"""Stamping a label that was made without a time stamp.

A sidecar gets the stamp into its signature's unsigned headers. A file with an embedded label gets it into the padding of
its signature, when the file holds the store in one piece and there is room, or else an update manifest. What comes out is
read back before it takes the place of the file: a label that held before must hold afterwards.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from keys import files, headers, timestamp
from keys.timestamp import Clock, Token
from keys.timestamp_relay import Timestamping
from tanba import jumbf
from tanba.asset import Asset
from tanba.errors import LabelingError, MalformedAsset, OutputRefused, SelfCheckFailed, UnsupportedFormat
from tanba.limits import DEFAULT_LIMITS
from tanba.protocols import Signer

if TYPE_CHECKING:
    from tanba.engine.read import Evidence

REFUSED = "tanba.keys.stamp_refused"
STAMPED = "tanba.keys.stamped_before"
NEVER = frozenset({REFUSED, "tanba.input.unreadable", "tanba.input.unsupported_format", "tanba.keys.unreadable"})
"""Codes of labels that no later try will stamp either."""
_AGAIN = "label the original again, now that an authority answers"


@dataclass(frozen=True, slots=True)
class Stamped:
    """A label with its new time stamp."""

    token: Token
    label_id: str | None
    """The active manifest's label afterwards: a new one when an update manifest was added, None for a sidecar."""


def stamp_sidecar(
    path: Path, urls: tuple[str, ...], *, seconds: float = timestamp.DEFAULT_SECONDS, clock: Clock | None = None
) -> Token:
    """Add a time stamp to the signature of a ``.c2pa`` file. Needs no key: the stamp is over the signature.

    Raises :class:`tanba.errors.TimestampError`, :class:`LabelingError` when there is a stamp already,
    :class:`tanba.errors.MalformedAsset` or :class:`StorageError`.
    """
    store = files.read(path, limit=DEFAULT_LIMITS.manifest_bytes)
    _unstamped(store)
    request = timestamp.build_request(headers.countersigned(store))
    token = timestamp.fetch_any(request, urls, seconds=seconds, clock=clock)
    files.write(path, headers.add(store, "sigTst2", _header(token)), mode=0o644)
    return token


def stamp_embedded(path: Path, signer: Signer, stamps: Timestamping, *, label_id: str | None = None) -> Stamped:
    """Stamp a labelled file in its place and at once. ``label_id``: the label that must still be its active one.

    Raises :class:`UnsupportedFormat` for text and other files whose label cannot be stamped later,
    :class:`LabelingError` for a label that does not hold now or is another one (``tanba.keys.stamp_refused``) or has a
    stamp (``tanba.keys.stamped_before``), what the engine and the signer raise, :class:`tanba.errors.TimestampError`,
    and :class:`OutputRefused` when the file cannot be replaced.
    """
    from tanba.engine.update import LaterStamp, later_stamp, update

    asset = Asset.from_path(path)
    before = _holding(asset, label_id)
    way = later_stamp(asset.format.media_type)

    if way is not LaterStamp.UPDATE:
        return Stamped(_into_padding(asset, before, stamps), before.active)

    def write(url: str | None, out: BinaryIO) -> None:
        assert url is not None, "the policy is to fail without a stamp"
        with asset.open() as source:
            update(source, asset.format.media_type, signer, out, timestamp_url=url)

    after = _replace(asset, lambda out: stamps.sign(lambda url: write(url, out)))
    token = stamps.last_token
    assert token is not None, "an update manifest without a stamp is refused above"
    return Stamped(token, after.active)


def _holding(asset: Asset, label_id: str | None) -> Evidence:
    """What the file's label says now. Raises unless it is intact and the one that is meant."""
    from tanba.engine.read import EvidenceStatus
    from tanba.formats.sniff import Kind

    if asset.format.kind is Kind.TEXT:
        raise UnsupportedFormat("a label inside a text cannot be stamped in place", hint=_AGAIN)
    evidence = _read(asset)
    if evidence.status is not EvidenceStatus.FOUND:
        raise LabelingError(
            "there is no label in this file", code=REFUSED, hint=f"is it beside it? then stamp {asset.name}.c2pa"
        )
    if evidence.state not in {"Valid", "Trusted"}:
        raise LabelingError(
            "its label does not hold any more, and a stamp would vouch for it",
            code=REFUSED,
            hint=f"`tanba verify {asset.name}` says why; {_AGAIN}",
        )
    if evidence.store is not None:
        _unstamped(evidence.store)
    if label_id is not None and evidence.active != label_id:
        raise LabelingError(
            "it carries another label than the one that waits",
            code=REFUSED,
            hint="stamp it by name if you mean this one",
        )
    return evidence


def _into_padding(asset: Asset, before: Evidence, stamps: Timestamping) -> Token:
    content, store = asset.read(), before.store
    if store is None or content.count(store) != 1:
        raise UnsupportedFormat("a label in this kind of file cannot be stamped later", hint=_AGAIN)
    try:
        headers.add_in_padding(store, "sigTst2", {"tstTokens": [{"val": bytes(_SMALLEST_TOKEN)}]})
    except MalformedAsset as error:
        raise _no_room() from error
    token = stamps.token(timestamp.build_request(headers.countersigned(store)))
    try:
        stamped = headers.add_in_padding(store, "sigTst2", _header(token))
    except MalformedAsset as error:
        raise _no_room() from error
    _replace(asset, lambda out: out.write(content.replace(store, stamped)))
    return token


_SMALLEST_TOKEN = 512
"""No RFC 3161 token is shorter: asking an authority would be in vain when not even this has room."""


def _no_room() -> UnsupportedFormat:
    return UnsupportedFormat(
        "the signature left no room for a stamp, and this kind of file takes no update manifest",
        hint=f"{_AGAIN}; the policy `queue` leaves room from the start",
    )


def _unstamped(store: bytes) -> None:
    """A later stamp would take the place of an earlier one, which proves more. Raises :class:`LabelingError`."""
    if jumbf.cose(store).timestamp_tokens:
        raise LabelingError(
            "it has a time stamp already", code=STAMPED, hint="the earlier stamp proves more; it is left alone"
        )


def _header(token: Token) -> dict[str, object]:
    from asn1crypto import tsp

    value = cast(bytes, tsp.TimeStampResp.load(token.response)["time_stamp_token"].dump())
    return {"tstTokens": [{"val": value}]}


def _read(asset: Asset) -> Evidence:
    from tanba.engine.read import read
    from tanba.trust import TrustStore

    return read(asset, trust=TrustStore.empty())


def _replace(asset: Asset, write: Callable[[BinaryIO], object]) -> Evidence:
    """Write beside, flush, read back, replace; the old file stays when anything goes wrong."""
    path = asset.path
    assert path is not None, "what is stamped in place is a file"
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OutputRefused(f"{path.name} cannot be replaced") from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        staged = Path(temporary)
        after = _read(Asset(name=asset.name, format=asset.format, size=staged.stat().st_size, path=staged))
        if after.state not in {"Valid", "Trusted"} or "timeStamp.validated" not in {item.code for item in after.codes}:
            raise SelfCheckFailed(
                "the stamped label would not hold, so the file was left as it is", hint=_AGAIN,
                details={"state": after.state, "failures": sorted({i.code for i in after.codes if i.bucket == "failure"})},
            )  # fmt: skip
        staged.chmod(path.stat().st_mode & 0o777)
        staged.replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return after
