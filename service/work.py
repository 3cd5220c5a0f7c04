"""What a worker process does: verify one file, label one file. The only place where the service touches the engine.

Functions are module-level and take one small frozen, picklable task; small contents come and go in memory, others as
spool files. A worker keeps the trust store and the open signing identity between tasks: a pass-phrase or a login costs
once per worker, not per label, and the keyring is still looked at for every label.
"""

from __future__ import annotations

import atexit
import copyreg
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from service.reports import Written, write
from tanba.asset import Asset
from tanba.formats.sniff import sniff
from tanba.limits import Limits
from tanba.model import Carrier, Disclosure
from tanba.processes import light
from tanba.trust import TrustStore
from verifier.issuer import Told, told

if TYPE_CHECKING:
    from tanba.report import VerificationReport
    from verifier.render.view import View

_HEAD = 4096
IN_MEMORY = 2 << 20
"""Contents up to this many bytes travel in memory: a file costs more than copying them twice."""
_trust: dict[str, TrustStore] = {}
_relays: dict[Stamping, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRef:
    """A received file and what is known about it: its bytes when it is small, a file in the spool otherwise."""

    path: Path | None
    """None when the bytes are here."""
    name: str | None
    sha256: str
    size: int
    data: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustRef:
    """The trust store by digest; a worker loads it from the folder once."""

    folder: Path
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyTask:
    """One verification."""

    file: FileRef
    trust: TrustRef
    limits: Limits
    manifest: bytes | None = field(default=None, repr=False)
    as_of: datetime | None = None
    thumbnails: bool = False


@dataclass(frozen=True, slots=True)
class Stamping:
    """The operator's time-stamp authorities, the seconds for each of them, and what to do when none answers."""

    urls: tuple[str, ...]
    seconds: float
    policy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelTask:
    """One label."""

    file: FileRef
    output: Path
    """Where a large result is written."""
    disclosure: Disclosure
    options: dict[str, Any]
    """Keyword arguments of :class:`labeler.LabelOptions` that are plain values."""
    profiles: tuple[str, ...]
    parent: FileRef | None
    identity: str | None
    keys_dir: Path
    trust: TrustRef
    limits: Limits
    stamping: Stamping | None = None
    """None when this label shall have no time stamp."""


@dataclass(frozen=True, slots=True)
class PageDone:
    """What the page shows and hands out; made in a worker, because it draws a preview of the pixels."""

    view: View
    html: str = field(repr=False)
    report: dict[str, Any] = field(repr=False)
    labels: tuple[Told, ...]
    """The labels in it that hold."""


@dataclass(frozen=True, slots=True)
class LabelDone:
    """A made label: the receipt, the store and the labelled bytes."""

    receipt: dict[str, Any]
    """A :class:`tanba.model.LabelReceipt` as plain JSON types."""
    store: bytes = field(repr=False)
    content: bytes | Path = field(repr=False)
    """The labelled bytes, or the file of the task's ``output`` that holds them."""
    size: int


def _apart(content: bytes | Path | None) -> pickle.PickleBuffer | Path | None:
    """Bytes that shall travel beside the pickle (:mod:`service.parcels`)."""
    return pickle.PickleBuffer(content) if isinstance(content, bytes) else content


def _leave_file(item: FileRef) -> tuple[Callable[..., FileRef], tuple[Any, ...]]:
    return _file, (item.path, item.name, item.sha256, item.size, _apart(item.data))


def _file(path: Path | None, name: str | None, sha256: str, size: int, data: bytes | None) -> FileRef:
    return FileRef(path=path, name=name, sha256=sha256, size=size, data=data)


def _leave_label(item: LabelDone) -> tuple[Callable[..., LabelDone], tuple[Any, ...]]:
    return LabelDone, (item.receipt, _apart(item.store), _apart(item.content), item.size)


copyreg.pickle(FileRef, _leave_file)
copyreg.pickle(LabelDone, _leave_label)
light(TrustRef, VerifyTask, Stamping, LabelTask, Limits, Disclosure)


def warm() -> None:
    """Import what tasks need, so that the first request does not pay for it."""
    import labeler  # noqa: F401 -- imported for its side effect: being imported
    import verifier  # noqa: F401 -- as above


def verify(task: VerifyTask) -> Written:
    """The report without the file's name. Never raises for what it finds."""
    return write(_report(task))


def _report(task: VerifyTask) -> VerificationReport:
    from verifier import Settings, verify_asset

    settings = Settings(
        trust=_trust_store(task.trust),
        limits=task.limits,
        as_of=task.as_of,
        thumbnails=task.thumbnails,
        isolate=False,
    )
    return verify_asset(_asset(task.file, task.limits), settings, manifest=task.manifest)


def verify_for_page(task: VerifyTask, lang: str) -> PageDone:
    """Verify, and put the report into a reader's words. See :func:`show_for_page`."""
    from tanba.wire import to_plain

    return show_for_page(task, to_plain(_report(task)), lang)


def show_for_page(task: VerifyTask, plain: dict[str, Any], lang: str) -> PageDone:
    """A report in a reader's words, with a preview and the filed report; the file's name is in it."""
    from tanba.stored import load_report
    from verifier.render import html
    from verifier.render.preview import preview_of_asset
    from verifier.render.view import view

    report = load_report(plain)
    preview = preview_of_asset(_asset(task.file, task.limits), limits=task.limits)
    return PageDone(view(report, lang, preview), html.render(report, lang=lang, preview=preview), plain, told(report))


def label(task: LabelTask) -> LabelDone:
    """Make one label. Raises what :func:`labeler.label` raises; nothing is left behind then."""
    import labeler
    from tanba import profiles
    from tanba.wire import to_plain

    asset = _asset(task.file, task.limits)
    parent = _asset(task.parent, task.limits) if task.parent else None
    with open_signer(task.identity, task.keys_dir, task.limits.seconds) as signer:
        made = labeler.stamped(
            _stamper(task.stamping) if task.stamping else None,
            asset,
            task.disclosure,
            signer=signer,
            options=labeler.LabelOptions(
                parent=parent, profiles=tuple(profiles.load(name) for name in task.profiles), **task.options
            ),
            trust=_trust_store(task.trust),
            limits=task.limits,
        )
    content = made.content
    assert content is not None  # no output path was given, so the bytes are here
    receipt = to_plain(made.receipt)
    if len(content) <= IN_MEMORY:
        return LabelDone(receipt, made.store, content, len(content))
    task.output.write_bytes(content)
    return LabelDone(receipt, made.store, task.output, len(content))


def open_signer(identity: str | None, keys_dir: Path, seconds: float) -> Any:
    """The named identity, or the keyring's active one, as a context manager around a Signer; open until the worker
    ends, the keyring changes or a signature fails.

    ``seconds`` is what the whole work may take. One call to the key's provider may take a quarter of it: opening and
    signing then fail for what they are, before the worker is stopped in the belief that the file is to blame.
    """
    import keys

    return keys.kept_identity(identity, home=keys_dir, seconds=seconds / 4)


def _stamper(how: Stamping) -> Any:
    """The relay to the authorities, open until the worker ends: it remembers which of them failed."""
    import keys

    if how not in _relays:
        opened = keys.timestamping(how.urls, timeout=how.seconds, policy=how.policy)
        _relays[how] = opened.__enter__()
        atexit.register(opened.__exit__, None, None, None)
    return _relays[how]


def probe(keys_dir: Path, identity: str | None, seconds: float) -> dict[str, Any]:
    """Sign a small text with the active identity and verify it: what ``/readyz`` rests on."""
    import labeler
    from tanba.model import Involvement
    from verifier import Settings, verify_asset

    asset = Asset.from_bytes(b"Tanba readiness probe.\n", name="probe.txt")
    with open_signer(identity, keys_dir, seconds) as signer:
        made = labeler.label(asset, Disclosure(involvement=Involvement.GENERATED, system="probe"), signer=signer)
        not_after = getattr(signer, "not_after", None)
    assert made.content is not None
    apart = made.store if made.receipt.carrier is Carrier.SIDECAR else None
    report = verify_asset(Asset.from_bytes(made.content, name="probe.txt"), Settings(isolate=False), manifest=apart)
    days = (not_after - datetime.now(UTC)).total_seconds() / 86400 if isinstance(not_after, datetime) else None
    return {
        "verdict": report.verdict.value,
        "identity": made.receipt.identity.name,
        "fingerprint": made.receipt.identity.fingerprint,
        "days_left": days,
    }


def _asset(file: FileRef, limits: Limits) -> Asset:
    """The file under the client's name: the spool's own name says nothing about the format."""
    if file.data is not None:
        return replace(Asset.from_bytes(file.data, name=file.name, limits=limits), _sha256=file.sha256)
    assert file.path is not None
    found = Asset.from_path(file.path, limits=limits)
    with found.open() as stream:
        head = stream.read(_HEAD)
    return Asset(
        name=file.name,
        format=sniff(head, name=file.name),
        size=found.size,
        path=file.path,
        _sha256=file.sha256,
    )


def _trust_store(ref: TrustRef) -> TrustStore:
    """The store of that digest; when the folder changed meanwhile, what stands there now (the report names it)."""
    if ref.digest not in _trust:
        from tanba import trustdir

        _trust.clear()
        _trust[ref.digest] = trustdir.load(ref.folder)
    return _trust[ref.digest]
