"""The chain of versions as a tree: what was done, by which software, signed by whom, and every ingredient's state."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any

from tanba.engine.read import Evidence, EvidenceStatus
from tanba.limits import Limits
from tanba.report import Bucket, Finding, HistoryNode, Verdict
from verifier.checks.ai import term
from verifier.checks.signer import fingerprint, moment

_MAX_NODES = 500
_TRUSTED = "signingCredential.trusted"
_UNTRUSTED = "signingCredential.untrusted"


def build(
    evidence: Evidence, limits: Limits, verdict: Verdict, findings: Iterable[Finding], *, trusted: bool
) -> tuple[HistoryNode, ...]:
    """The active manifest with its ingredients below it; empty when there is no readable manifest.

    The newest version's state is the report's ``verdict``, or that its signer is vouched for (``trusted``) when only
    something else in the label is not; its codes are those of ``findings``. The engine knows neither another moment nor
    what one list alone vouches for.
    """
    if evidence.status is not EvidenceStatus.FOUND or not evidence.active:
        return ()
    failures = (item.code for item in findings if item.bucket is Bucket.FAILURE and "ingredient" not in item.params)
    intact = verdict in (Verdict.TRUSTED, Verdict.VALID)
    state = ("trusted" if trusted else "valid") if intact else "invalid"
    return (_Builder(evidence, limits, state, tuple(dict.fromkeys(failures))).node(evidence.active),)


class _Builder:
    """Walks the manifests once, with a bound on nodes and depth (a store may refer to itself)."""

    def __init__(self, evidence: Evidence, limits: Limits, newest: str, failures: tuple[str, ...]) -> None:
        self.evidence = evidence
        self.limits = limits
        self.newest = newest
        self.failures = failures
        self.nodes = 0

    def node(self, label: str, ingredient: Mapping[str, Any] | None = None, path: tuple[str, ...] = ()) -> HistoryNode:
        self.nodes += 1
        manifest = self.evidence.manifest(label)
        info = manifest.get("signature_info") or {}
        actions = tuple(_actions(manifest))
        codes = self._codes(label, ingredient)
        deeper = len(path) < self.limits.nesting and label not in path
        return HistoryNode(
            title=self._text((ingredient or {}).get("title") or manifest.get("title")),
            state=self.newest if ingredient is None else self._state(codes, signed=True),
            relationship=(ingredient or {}).get("relationship"),
            label=label,
            format=manifest.get("format") or (ingredient or {}).get("format"),
            software=self._text(_software(manifest)),
            signer=self._text(info.get("issuer") or info.get("common_name")),
            fingerprint=None if ingredient is None else fingerprint(self.evidence, label),
            signed_at=moment(info.get("time")),
            digital_source_type=next(
                (item["digital_source_type"] for item in actions if item.get("digital_source_type")), None
            ),
            actions=actions,
            codes=codes,
            redacted=tuple(str(item) for item in manifest.get("redactions") or ())[:100],
            identities=tuple(_identities(manifest)),
            thumbnail=self._thumbnail((ingredient or {}).get("thumbnail") or manifest.get("thumbnail")),
            ingredients=tuple(
                self._ingredient(item, (*path, label))
                for item in manifest.get("ingredients") or ()
                if deeper and self.nodes < _MAX_NODES
            ),
        )

    def _ingredient(self, ingredient: Mapping[str, Any], path: tuple[str, ...]) -> HistoryNode:
        child = ingredient.get("active_manifest")
        if isinstance(child, str) and self.evidence.manifest(child):
            return self.node(child, ingredient, path)
        self.nodes += 1
        codes = self._codes(None, ingredient)
        return HistoryNode(
            title=self._text(ingredient.get("title")),
            state=self._state(codes, signed=bool(child)),
            relationship=ingredient.get("relationship"),
            format=ingredient.get("format"),
            codes=codes,
            thumbnail=self._thumbnail(ingredient.get("thumbnail")),
        )

    def _codes(self, label: str | None, ingredient: Mapping[str, Any] | None) -> tuple[str, ...]:
        """Failure codes of this version: those of the report for the newest, as recorded and re-checked for the others."""
        if ingredient is None:
            return self.failures
        recorded = (ingredient.get("validation_results") or {}).get("activeManifest") or {}
        found = [str(item.get("code")) for item in recorded.get("failure") or ()]
        found += [str(item.get("code")) for item in ingredient.get("validation_status") or ()]
        if label is not None:
            again = [c for c in self.evidence.codes if "ingredient" in c.params and label in (c.subject or "")]
            if any(c.code == _TRUSTED and c.bucket is Bucket.SUCCESS for c in again):
                # Whoever labelled knew no list for this signer; the lists of this check vouch for it.
                found = [code for code in found if code != _UNTRUSTED]
            found += [c.code for c in again if c.bucket is Bucket.FAILURE]
        return tuple(dict.fromkeys(found))

    def _state(self, codes: tuple[str, ...], *, signed: bool) -> str:
        if not signed:
            return "invalid" if codes else "unlabelled"
        if any(code != _UNTRUSTED and not code.startswith("cawg.") for code in codes):
            return "invalid"
        return "valid" if _UNTRUSTED in codes else "trusted"

    def _text(self, value: object) -> str | None:
        return value[: self.limits.strings] if isinstance(value, str) and value else None

    def _thumbnail(self, reference: object) -> str | None:
        identifier = reference.get("identifier") if isinstance(reference, Mapping) else None
        found = self.evidence.thumbnails.get(identifier) if isinstance(identifier, str) else None
        if found is None:
            return None
        return f"data:{found[0]};base64,{base64.b64encode(found[1]).decode('ascii')}"


def _actions(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for assertion in manifest.get("assertions") or ():
        data = assertion.get("data")
        if not str(assertion.get("label", "")).startswith("c2pa.actions") or not isinstance(data, Mapping):
            continue
        for action in data.get("actions") or ():
            if not isinstance(action, Mapping) or len(found) >= 200:
                continue
            agent = action.get("softwareAgent")
            found.append(
                {
                    "action": str(action.get("action", "")),
                    "when": action.get("when") if isinstance(action.get("when"), str) else None,
                    "software": agent.get("name")
                    if isinstance(agent, Mapping)
                    else agent
                    if isinstance(agent, str)
                    else None,
                    "digital_source_type": term(action.get("digitalSourceType")),
                    "description": action.get("description") if isinstance(action.get("description"), str) else None,
                    "reason": action.get("reason") if isinstance(action.get("reason"), str) else None,
                }
            )
    return found


def _software(manifest: Mapping[str, Any]) -> str | None:
    for item in manifest.get("claim_generator_info") or ():
        if isinstance(item, Mapping) and item.get("name"):
            return " ".join(str(part) for part in (item.get("name"), item.get("version")) if part)
    generator = manifest.get("claim_generator")
    return generator if isinstance(generator, str) else None


def _identities(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """CAWG identity assertions as the engine decoded them: names and type, for display beside the signer."""
    found: list[dict[str, Any]] = []
    for assertion in manifest.get("assertions") or ():
        data = assertion.get("data")
        if not str(assertion.get("label", "")).startswith("cawg.identity") or not isinstance(data, Mapping):
            continue
        info = data.get("signature_info")
        named = [
            {key: item.get(key) for key in ("type", "name", "username", "uri", "verifiedAt") if item.get(key)}
            for item in data.get("verifiedIdentities") or ()
            if isinstance(item, Mapping)
        ]
        found.append(
            {
                "type": data.get("sig_type") if isinstance(data.get("sig_type"), str) else "cawg.identity",
                "issuer": info.get("issuer") if isinstance(info, Mapping) else None,
                "identities": named[:20],
            }
        )
    return found
