"""Step (1): does the input carry a label already, and may it be kept as history?

An intact label, in the file or in a sidecar beside it, becomes the parent ingredient. One that fails, that cannot be
read, or that lies elsewhere is refused, unless the caller insists; then the new label says so. A manifest is never
silently replaced.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from labeler.output import sidecar_of
from tanba.asset import Asset
from tanba.engine.definition import PARENT_LABEL
from tanba.engine.read import Evidence, EvidenceStatus, read
from tanba.engine.write import Ingredient, StoredIngredient
from tanba.errors import AlreadyLabelled, MalformedAsset, UsageError
from tanba.formats.containers import jxl
from tanba.formats.sniff import JXL_BARE
from tanba.limits import Limits
from tanba.model import DigitalSourceType
from tanba.report import Bucket
from tanba.trust import TrustStore

REMOTE = "tanba.label.parent_remote"
UNREADABLE = "tanba.label.parent_unreadable"

CREDENTIAL = ("signingCredential.", "timeStamp.", "cawg.")
"""Codes about who signed and when, not about the content: such a parent is intact and stays history."""

_AI_TERMS = frozenset(
    {
        DigitalSourceType.TRAINED_ALGORITHMIC_MEDIA.uri,
        DigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA.uri,
        DigitalSourceType.COMPOSITE_SYNTHETIC.uri,
        DigitalSourceType.TRAINED_ALGORITHMIC_DATA.uri,
    }
)
"""The four terms of the C2PA "Perceptible GenAI Transformations" signal."""

_INSIST = "--accept-tampered-parent (accept_tampered_parent=True) labels it all the same, and the new label says so"


@dataclass(frozen=True, slots=True)
class Parent:
    """What came before the new label."""

    asset: Asset
    is_input: bool
    stored: StoredIngredient | None = field(default=None, repr=False)
    """The parent's manifest, when the engine cannot find it in the asset (sidecars)."""
    problem: tuple[str, ...] = ()
    """Codes for which its label fails; only when the caller insisted."""
    declares_ai: bool = False
    """Its active label says that AI made or changed it."""
    warnings: tuple[str, ...] = ()

    def ingredients(self, stack: contextlib.ExitStack) -> Sequence[Ingredient | StoredIngredient]:
        """As the engine takes it; the stack closes the stream."""
        if self.stored is not None:
            return (self.stored,)
        if self.asset.format == JXL_BARE:  # the engine takes JPEG XL in its container only
            stream: BinaryIO = io.BytesIO(jxl.wrapped(self.asset.read()))
        else:
            stream = stack.enter_context(self.asset.open())
        return (Ingredient(stream, self.asset.format.media_type, self.asset.name, label=PARENT_LABEL),)


@dataclass(frozen=True, slots=True)
class Finder:
    """How parents are looked for."""

    trust: TrustStore
    limits: Limits
    accept_tampered: bool = False

    def find(self, asset: Asset, original: Asset | None) -> Parent | None:
        """The parent of the new label, or None when nothing came before.

        Raises :class:`AlreadyLabelled` for a label that cannot be kept, :class:`UsageError` when the input is labelled
        and another original is named too, :class:`MalformedAsset` for an unreadable file.
        """
        found = self._examine(asset, is_input=True)
        if original is None:
            return found
        if found is not None:
            raise UsageError(
                "the input carries a label already, and that becomes the parent",
                hint="leave out --parent, or label the unlabelled file",
            )
        return self._examine(original, is_input=False) or Parent(original, is_input=False)

    def _examine(self, asset: Asset, *, is_input: bool) -> Parent | None:
        evidence = read(asset, trust=self.trust, limits=self.limits)
        name = asset.name or "the input"
        match evidence.status:
            case EvidenceStatus.FOUND:
                return self._labelled(asset, evidence, is_input=is_input)
            case EvidenceStatus.REMOTE_ONLY:
                words = f"the label of {name} is not in the file but at {evidence.remote_url}"
                return self._insisted(asset, REMOTE, words, is_input=is_input)
            case EvidenceStatus.MALFORMED:
                words = f"{name} carries a label that cannot be read: {evidence.error}"
                return self._insisted(asset, UNREADABLE, words, is_input=is_input)
            case EvidenceStatus.OVER_LIMIT:
                raise AlreadyLabelled(
                    f"{name} carries a label that is over the limits: {evidence.error}",
                    code="tanba.label.parent_over_limit",
                )
            case EvidenceStatus.UNREADABLE:
                raise MalformedAsset(
                    f"{name} cannot be read: {evidence.error}", hint="is it complete, and of the type it claims?"
                )
            case EvidenceStatus.UNSUPPORTED if asset.format.readable:
                raise AlreadyLabelled(
                    f"{name} carries a label of a kind that cannot be kept as history: {evidence.error}",
                    code="tanba.label.parent_unsupported",
                    hint="label the original that has no such label",
                )
        return self.beside(asset, is_input=is_input)

    def beside(self, asset: Asset, *, is_input: bool = True) -> Parent | None:
        """A label in a sidecar ``FILE.c2pa`` beside ``FILE``. Raises as :meth:`find` does."""
        path = sidecar_of(asset.path) if asset.path is not None else None
        if path is None or not path.is_file():
            return None
        store = Asset.from_path(path, limits=self.limits).read()
        evidence = read(asset, trust=self.trust, limits=self.limits, manifest=store)
        if evidence.status is not EvidenceStatus.FOUND:
            words = f"the sidecar {path.name} cannot be read: {evidence.error}"
            return self._insisted(asset, UNREADABLE, words, is_input=is_input)
        return self._labelled(asset, evidence, is_input=is_input, stored=_stored(asset, store, evidence))

    def _labelled(
        self, asset: Asset, evidence: Evidence, *, is_input: bool, stored: StoredIngredient | None = None
    ) -> Parent:
        failures = own_codes(evidence, Bucket.FAILURE)
        broken = tuple(code for code in failures if not code.startswith(CREDENTIAL))
        if evidence.state == "Invalid" and not failures:
            broken = ("general.error",)
        warnings: tuple[str, ...] = ()
        if broken and not self.accept_tampered:
            raise AlreadyLabelled(
                f"the label of {asset.name or 'the input'} fails: {', '.join(broken)}",
                hint=f"the file was changed after it was labelled; {_INSIST}",
                details={"codes": list(broken)},
            )
        if broken:
            warnings = (f"the label of the parent fails ({', '.join(broken)}); the new label says so",)
        credential = [code for code in failures if code not in broken and code != "signingCredential.untrusted"]
        if credential:
            codes = ", ".join(credential)
            words = f"the label of the parent is intact, but a credential in it fails ({codes})"
            warnings += (f"{words}: readers may hold that against the whole file",)
        return Parent(asset, is_input, stored, broken, _declares_ai(evidence), warnings)

    def _insisted(self, asset: Asset, code: str, words: str, *, is_input: bool) -> Parent:
        if not self.accept_tampered:
            raise AlreadyLabelled(words, code=code, hint=_INSIST)
        return Parent(asset, is_input, problem=(code,), warnings=(f"{words}; the new label says so",))


def own_codes(evidence: Evidence, bucket: Bucket) -> tuple[str, ...]:
    """Codes about the active manifest itself, not about its ingredients; each once."""
    found = (item.code for item in evidence.codes if item.bucket is bucket and "ingredient" not in item.params)
    return tuple(dict.fromkeys(found))


def _stored(asset: Asset, store: bytes, evidence: Evidence) -> StoredIngredient:
    results = {
        bucket.value: [
            {"code": item.code, "url": item.subject or "", "explanation": item.text or ""}
            for item in evidence.codes
            if item.bucket is bucket and "ingredient" not in item.params
        ]
        for bucket in Bucket
    }
    return StoredIngredient(
        store=store,
        active=evidence.active or "",
        validation_results={"activeManifest": results},
        media_type=asset.format.media_type,
        title=asset.name,
        label=PARENT_LABEL,
    )


def _declares_ai(evidence: Evidence) -> bool:
    for assertion in evidence.manifest().get("assertions", ()):
        if str(assertion.get("label", "")).startswith("c2pa.actions"):
            actions = (assertion.get("data") or {}).get("actions") or ()
            if any(isinstance(item, dict) and item.get("digitalSourceType") in _AI_TERMS for item in actions):
                return True
    return False
