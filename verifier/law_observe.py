"""What a file itself shows for the articles of a labelling law: fields, layers, and where each was seen.

Signed fields count only when the label holds; a broken label states nothing. What no program can see in a file (a
warning drawn into pixels, a watermark we cannot read) is ``unseen``, which is neither present nor missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tanba.asset import Asset
from tanba.engine.read import Evidence, read
from tanba.formats.metadata import read_aigc
from tanba.formats.sniff import Kind
from tanba.model import Disclosure, Involvement
from tanba.profiles import Profile
from tanba.report import AiState, LayerState, Strength, TimeState, Verdict, VerificationReport
from verifier.checks.signer import moment
from verifier.procedure import Settings, verify_asset

DISCLOSURE = "org.tanba.disclosure"
_TRAINING = ("cawg.data_mining", "cawg.ai_inference", "cawg.ai_training", "cawg.ai_generative_training")
_INVOLVEMENT: Mapping[AiState, Involvement] = {
    AiState.GENERATED: Involvement.GENERATED,
    AiState.MODIFIED: Involvement.MODIFIED,
    AiState.COMPOSITE: Involvement.COMPOSITE,
    AiState.ASSISTED: Involvement.ASSISTED,
    AiState.HUMAN_DECLARED: Involvement.HUMAN,
}
_HEAD_LINES = 10
"""A notice counts as "at the head" of a text within this many lines."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One piece of evidence: what, where, and the value as it stands in the file."""

    what: str
    where: str
    value: str


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything a file shows."""

    report: VerificationReport
    kind: Kind
    involvement: Involvement | None
    """None: nothing in the file says whether AI made it. That is no statement that it did not."""
    fields: Mapping[str, Any]
    """Disclosure fields with values."""
    layers: frozenset[str]
    unseen: frozenset[str]
    """Layers that cannot be seen in this file by this program."""
    evidence: tuple[Seen, ...] = field(default=())

    def of(self, *names: str) -> tuple[Seen, ...]:
        """The evidence for fields or layers."""
        return tuple(item for item in self.evidence if item.what in names)


def observe(asset: Asset, settings: Settings, profile: Profile) -> Observed:
    """Verify and read one file. Never raises for what it finds."""
    report = verify_asset(asset, settings)
    holds = report.verdict in (Verdict.VALID, Verdict.TRUSTED)
    evidence = _read(asset, settings) if holds else None
    seen = [
        *_marks(report, holds=holds),
        *_signed(evidence),
        *_unsigned(report),
        *_aigc(asset, settings),
        *_time(report),
    ]
    if asset.format.kind is Kind.TEXT:
        seen += _notice(asset, profile)
    values: dict[str, Any] = {}
    for item in seen:
        values.setdefault(item.what, item.value)
    values |= _typed(evidence)
    layers, unseen = _layers(report, values, asset.format.kind, holds=holds)
    return Observed(
        report=report,
        kind=asset.format.kind,
        involvement=_involvement(report),
        fields=values,
        layers=layers,
        unseen=unseen,
        evidence=tuple(seen),
    )


def disclosure_of(observed: Observed, involvement: Involvement, extra: Mapping[str, Any]) -> Disclosure:
    """The fields as a :class:`Disclosure`, so that a profile's own rules can be asked about a file."""
    known: dict[str, Any] = {
        name: observed.fields.get(name)
        for name in ("system", "system_version", "model", "provider", "provider_id", "content_id", "human_contribution")
    }
    basis = extra.get("synthetic_result", observed.fields.get("synthetic_result"))
    return Disclosure(
        involvement=involvement,
        no_training=bool(observed.fields.get("no_training")),
        operations=tuple(observed.fields.get("operations_list", ())),
        synthetic_result=tuple(basis) if isinstance(basis, (list, tuple)) else (),
        created_at=moment(observed.fields.get("created_at")),
        extra={key: value for key, value in extra.items() if key != "synthetic_result"},
        **known,
    )


def _read(asset: Asset, settings: Settings) -> Evidence:
    if asset.format.kind is Kind.TEXT:
        from verifier.text import read_text

        return read_text(asset, trust=settings.trust, limits=settings.limits, isolate=settings.isolate)[0]
    return read(asset, trust=settings.trust, limits=settings.limits, isolate=settings.isolate)


def _involvement(report: VerificationReport) -> Involvement | None:
    """Signed and unsigned statements count alike for scope (a law asks what was made, not how well it is proved);
    heuristics never do.
    """
    if report.answers.ai.strength in (Strength.HEURISTIC, Strength.NONE):
        return None
    return _INVOLVEMENT.get(report.answers.ai.state)


def _marks(report: VerificationReport, *, holds: bool) -> Iterator[Seen]:
    """The machine-readable marks themselves, with what each says."""
    if holds:
        signer = report.answers.signer
        who = signer.organization or signer.name or "a signer without a name"
        yield Seen("c2pa", "C2PA manifest", f"{report.verdict.value}, signed by {who}")
    for item in report.answers.ai.statements:
        if item.layer.value in ("iptc", "aigc") and item.involvement is not None:
            yield Seen(item.layer.value, f"{item.layer.value.upper()} metadata, unsigned", item.what)


def _signed(evidence: Evidence | None) -> Iterator[Seen]:
    if evidence is None:
        return
    manifest = evidence.manifest()
    for label, data in _assertions(evidence):
        yield from _of_assertion(label, data)
    info = manifest.get("signature_info") or {}
    if info.get("issuer"):
        yield Seen("provider", "signer's certificate, organization", str(info["issuer"]))
    if evidence.active:
        yield Seen("content_id", "label of the C2PA manifest", evidence.active)


def _of_assertion(label: str, data: Mapping[str, Any]) -> Iterator[Seen]:
    if label == DISCLOSURE:
        provider = data.get("provider") or {}
        pairs: tuple[tuple[str, Any], ...] = (
            ("provider", provider.get("name")),
            ("provider_id", provider.get("id")),
            ("content_id", data.get("content_id")),
            ("human_contribution", data.get("human_contribution")),
            ("synthetic_result", ", ".join(map(str, data.get("synthetic_result") or ()))),
            ("operations", "; ".join(map(str, data.get("operations") or ()))),
            ("visible", "stated by the signer" if data.get("visible_mark") is True else None),
        )
        yield from (Seen(what, DISCLOSURE, str(value)) for what, value in pairs if value)
    elif label == "c2pa.ai-disclosure":
        pairs = (("system", data.get("modelName")), ("model", data.get("modelIdentifier")))
        yield from (Seen(what, label, str(value)) for what, value in pairs if value)
        level = (data.get("contentProfile") or {}).get("humanOversightLevel")
        if level:
            yield Seen("oversight", label, str(level))
    elif label == "cawg.training-mining":
        entries = data.get("entries") or {}
        if all((entries.get(name) or {}).get("use") == "notAllowed" for name in _TRAINING):
            yield Seen("no_training", label, "notAllowed")
    elif label.startswith("c2pa.actions"):
        yield from _of_actions(label, data)


def _of_actions(label: str, data: Mapping[str, Any]) -> Iterator[Seen]:
    for action in data.get("actions") or ():
        agent = action.get("softwareAgent")
        name = agent.get("name") if isinstance(agent, Mapping) else agent
        if name and action.get("digitalSourceType"):
            yield Seen("system", f"{label}, softwareAgent", str(name))
            version = agent.get("version") if isinstance(agent, Mapping) else None
            if version:
                yield Seen("system_version", f"{label}, softwareAgent", str(version))
        if action.get("when"):
            yield Seen("created_at", f"{label}, {action.get('action')}", str(action["when"]))


def _unsigned(report: VerificationReport) -> Iterator[Seen]:
    names = {"AISystemUsed": "system", "AISystemVersionUsed": "system_version"}
    for item in report.answers.ai.statements:
        if item.layer.value == "iptc" and item.what in names and item.value:
            yield Seen(names[item.what], f"IPTC/XMP {item.what}, unsigned", item.value)


def _aigc(asset: Asset, settings: Settings) -> Iterator[Seen]:
    for label in read_aigc(asset, settings.limits):
        pairs = (
            ("provider_id", "ContentProducer", label.content_producer),
            ("content_id", "ProduceID", label.produce_id),
        )
        yield from (Seen(what, f"AIGC {key}, unsigned", value) for what, key, value in pairs if value)


def _time(report: VerificationReport) -> Iterator[Seen]:
    time = report.answers.time
    if time.source == "rfc3161" and time.signed_at is not None:
        who = str((time.authority or {}).get("name") or "an authority without a name")
        trust = "" if time.state is TimeState.TIMESTAMPED else ", which none of your lists vouches for"
        yield Seen("timestamp", "RFC 3161 token in the signature", f"{time.signed_at.isoformat()} by {who}{trust}")


def _notice(asset: Asset, profile: Profile) -> Iterator[Seen]:
    """A visible notice at the head of a text: one of the profile's own strings."""
    lines = asset.read().decode("utf-8", "replace").splitlines()[:_HEAD_LINES]
    head = "\n".join(lines).casefold()
    for item in profile.strings:
        if item.text.casefold() in head:
            yield Seen("visible", f"first {_HEAD_LINES} lines", item.text)
            return


def _typed(evidence: Evidence | None) -> dict[str, Any]:
    """Values that are lists in the file and must stay lists."""
    if evidence is None:
        return {}
    own = next((data for label, data in _assertions(evidence) if label == DISCLOSURE), {})
    found = {
        "synthetic_result": [str(item) for item in own.get("synthetic_result") or ()],
        "operations_list": [str(item) for item in own.get("operations") or ()],
    }
    return {name: value for name, value in found.items() if value}


def _layers(
    report: VerificationReport, values: Mapping[str, Any], kind: Kind, *, holds: bool
) -> tuple[frozenset[str], frozenset[str]]:
    layers = {item.kind for item in report.layers if item.state is LayerState.FOUND and item.kind in ("iptc", "aigc")}
    unseen = {item.kind for item in report.layers if item.state is LayerState.NOT_CHECKED}
    if holds:
        layers.add("c2pa")
    if "timestamp" in values:
        layers.add("timestamp")
    if "visible" in values:
        layers.add("visible")
    elif kind is Kind.TEXT:
        unseen.discard("visible")
    return frozenset(layers), frozenset(unseen - layers - {"sidecar", "text", "c2pa"})


def _assertions(evidence: Evidence) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for item in evidence.manifest().get("assertions") or ():
        if isinstance(item, Mapping) and isinstance(item.get("data"), Mapping):
            yield str(item.get("label", "")).partition("__")[0], item["data"]
