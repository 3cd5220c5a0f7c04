"""Labelling one asset, top to bottom. Held against docs/labelling.md; every step is done for every format.

(1) refuse an existing label that fails, or make an intact one the parent          labeler.parent
(2) plan: which layers and fields, for which article                               labeler.plan
(3) refuse what the profiles ask for and nobody said                               labeler.plan
(4) visible mark, if planned                                                       labeler.visible
(5) metadata: IPTC/XMP, AIGC                                                       tanba.formats
(6) manifest definition                                                            tanba.engine.definition
(7) sign: the last change of the bytes, because the hard binding covers them all   tanba.engine.write
(8) read back and prove, then hand out                                             labeler.selfcheck, labeler.output

It takes a Signer and values (clock, limits, trust); it knows no key store, no environment and no network of its own.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labeler import output as out
from labeler import selfcheck
from labeler.parent import Parent, find_parent
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.engine.read import Evidence
from tanba.engine.write import Ingredient, sign
from tanba.limits import DEFAULT_LIMITS, Limits
from tanba.model import Carrier, Disclosure, IdentityRef, LabelReceipt
from tanba.protocols import Clock, Signer
from tanba.trust import TrustStore

_NO_TRUST = TrustStore.empty()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """How a label is made; what it says is the :class:`Disclosure`'s."""

    parent: Asset | None = None
    """The original that the input was made from; becomes the parent ingredient."""
    accept_tampered_parent: bool = False
    """Keep an existing label although it fails, is elsewhere or cannot be read; the new label says so."""
    timestamp_url: str | None = None
    """RFC 3161 authority (http or https). The only network use there is, and only when given."""
    overwrite: bool = False
    """Replace an existing output file."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """The result: a receipt, and the bytes when no output path was given."""

    receipt: LabelReceipt
    content: bytes | None
    store: bytes
    """The signed C2PA manifest store (JUMBF)."""


def label(
    asset: Asset,
    disclosure: Disclosure,
    *,
    signer: Signer,
    output: Path | None = None,
    options: LabelOptions = LabelOptions(),
    trust: TrustStore = _NO_TRUST,
    limits: Limits = DEFAULT_LIMITS,
    clock: Clock = lambda: datetime.now(UTC),
) -> Labelled:
    """Label one asset. The input is never modified; ``output`` appears whole or not at all.

    Raises :class:`AlreadyLabelled`, :class:`RequirementUnmet`, :class:`OutputRefused`, :class:`SelfCheckFailed`,
    :class:`UnsupportedFormat`, :class:`MalformedAsset`, :class:`CredentialError`, :class:`UsageError`.
    """
    if output is not None:
        out.check(output, overwrite=options.overwrite, source=asset.path)
    parent = find_parent(
        asset, options.parent, accept_tampered=options.accept_tampered_parent, trust=trust, limits=limits
    )
    moment = clock()
    content_id = disclosure.content_id or str(uuid.uuid4())
    context = defs.Context(
        moment=moment,
        content_id=content_id,
        title=asset.name,
        parent=parent is not None,
        parent_is_input=parent is not None and parent.is_input,
        parent_problem=parent.problem if parent else (),
    )
    definition = defs.build(disclosure, context)
    with _destination(asset, output, options) as target:
        with contextlib.ExitStack() as stack:
            source = stack.enter_context(asset.open())
            store = sign(
                source,
                asset.format.media_type,
                definition,
                signer,
                target.stream,
                ingredients=_ingredients(parent, stack),
                timestamp_url=options.timestamp_url,
            )
        made = target.asset(asset.format)
        evidence = selfcheck.check(made, definition, store, trust=trust, limits=limits)
        receipt = _receipt(asset, made, store, evidence, signer, moment, output)
        target.commit()
    return Labelled(receipt, made.data, store)


@contextlib.contextmanager
def _destination(asset: Asset, output: Path | None, options: LabelOptions) -> Iterator[out.Staged | out.Buffer]:
    if output is None:
        yield out.Buffer(asset.name)
        return
    with out.stage(output, overwrite=options.overwrite, source=asset.path) as staged:
        yield staged


def _ingredients(parent: Parent | None, stack: contextlib.ExitStack) -> Sequence[Ingredient]:
    if parent is None:
        return ()
    stream = stack.enter_context(parent.asset.open())
    return (
        Ingredient(
            stream, parent.asset.format.media_type, parent.asset.name, relationship="parentOf", label=defs.PARENT_LABEL
        ),
    )


def _receipt(
    asset: Asset,
    made: Asset,
    store: bytes,
    evidence: Evidence,
    signer: Signer,
    moment: datetime,
    output: Path | None,
) -> LabelReceipt:
    return LabelReceipt(
        label_id=str(evidence.active),
        input_sha256=asset.sha256,
        output_sha256=made.sha256,
        manifest_sha256=hashlib.sha256(store).hexdigest(),
        media_type=asset.format.media_type,
        carrier=Carrier.EMBEDDED,
        profile=(),
        layers=("c2pa",),
        identity=IdentityRef(signer.name, leaf_fingerprint(signer.chain_pem)),
        claimed_at=moment,
        timestamp=_timestamp(evidence),
        output=str(output) if output else None,
    )


def _timestamp(evidence: Evidence) -> dict[str, Any] | None:
    codes = {item.code for item in evidence.codes}
    if "timeStamp.validated" not in codes:
        return None
    info = evidence.manifest().get("signature_info") or {}
    return {"time": info.get("time"), "trusted": "timeStamp.trusted" in codes}


_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)


def leaf_fingerprint(chain_pem: bytes) -> str:
    """SHA-256 of the first certificate of a chain, lower-case hex."""
    match = _PEM.search(chain_pem)
    return hashlib.sha256(base64.b64decode(match[1])).hexdigest() if match else ""
