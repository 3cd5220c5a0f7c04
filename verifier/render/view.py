"""What the HTML and PDF reports show: the report's facts with every string cleaned and every term in words.

Templates get only these values; they never touch a report, so that nothing uncleaned can reach a page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tanba.i18n import LANGUAGES, NAMES, sentence
from tanba.report import Basis, Bucket, HistoryNode, TrustListRef, VerificationReport
from tanba.trustdir import OLD_AFTER_DAYS
from verifier.explain import explain
from verifier.render.advice import age_days, names_shown
from verifier.render.preview import Preview, safe_thumbnail
from verifier.render.safe import MAX_TEXT, clean, clean_or, suspicions
from verifier.render.terms import Difference, ai_step, differences, second_sentence, term
from verifier.render.words import Words, moment, words

_MAX_NODES = 60
_MAX_THUMBNAILS = 16
_MAX_CODES = 300


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded action."""

    text: str
    ai: bool
    source: str | None
    software: str | None
    when: str | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Node:
    """One version or part in the history."""

    title: str
    state: str
    state_text: str
    relation: str | None
    facts: tuple[str, ...]
    """Signer, software, time."""
    steps: tuple[Step, ...]
    identities: tuple[str, ...]
    redacted: tuple[str, ...]
    thumbnail: str | None
    more: int
    children: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled line; ``tone`` and ``extra`` where a table needs them."""

    name: str
    text: str
    extra: str | None = None
    tone: str = "neutral"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """One finding for experts."""

    code: str
    bucket: str
    bucket_text: str
    clause: str
    text: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class View:
    """Everything one page shows, in one language."""

    lang: str
    words: Words
    name: str
    preview: Preview | None
    facts: tuple[Row, ...]
    statements: tuple[tuple[str, str, str, str], ...]
    layers: tuple[Row, ...]
    history: tuple[Node, ...]
    recoveries: tuple[Row, ...]
    lists: tuple[tuple[str, str, str, str, str], ...]
    second: Row | None
    differences: tuple[Difference, ...]
    codes: tuple[CodeRow, ...]
    codes_left: int
    suspicious: tuple[Row, ...]
    command: str | None
    checked_at: str
    tanba: str


def view(report: VerificationReport, lang: str, preview: Preview | None = None) -> View:
    """Build the page's values. ``lang`` is one of :data:`tanba.i18n.LANGUAGES`."""
    basis = report.basis
    builder = _History(lang)
    shown = report.findings[:_MAX_CODES]
    return View(
        lang=lang,
        words=words(report, lang),
        name=clean_or(report.asset.name, sentence("term-unnamed", lang)),
        preview=preview,
        facts=_facts(report, lang),
        statements=tuple(_statement(item, lang) for item in report.answers.ai.statements[:60]),
        layers=tuple(
            Row(term("layer", item.kind, lang), term("layerstate", item.state.value, lang), None, item.state.value)
            for item in report.layers
        ),
        history=tuple(builder.node(item) for item in report.history),
        recoveries=tuple(_recovery(item) for item in report.recoveries[:20]),
        lists=list_rows(basis, lang),
        second=_second(report, lang),
        differences=differences(report.second_opinion, lang),
        codes=tuple(_code(item, lang) for bucket in reversed(Bucket) for item in shown if item.bucket is bucket),
        codes_left=len(report.findings) - len(shown),
        suspicious=_suspicious(report, lang),
        command=clean(basis.command, MAX_TEXT) if basis and basis.command else None,
        checked_at=(moment(basis.checked_at) if basis else None) or "—",
        tanba=clean(basis.tanba) if basis else "—",
    )


class _History:
    """Turns history nodes into :class:`Node`, with bounds on their number and on decoded thumbnails."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.left = _MAX_NODES
        self.thumbnails = _MAX_THUMBNAILS

    def node(self, node: HistoryNode) -> Node:
        self.left -= 1
        lang = self.lang
        children = []
        for child in node.ingredients:
            if self.left <= 0:
                break
            children.append(self.node(child))
        return Node(
            title=clean_or(node.title, sentence("term-unnamed", lang)),
            state=node.state if node.state in ("trusted", "valid", "invalid", "unlabelled") else "unknown",
            state_text=term("state", node.state, lang),
            relation=term("relation", node.relationship, lang) if node.relationship else None,
            facts=tuple(
                [clean(part) for part in (node.signer, node.software) if part]
                + [text for text in (moment(node.signed_at),) if text]
            ),
            steps=tuple(_step(action, lang) for action in node.actions[:30]),
            identities=tuple(_identity(item) for item in node.identities[:10]),
            redacted=tuple(clean(item) for item in node.redacted[:10]),
            thumbnail=self._thumbnail(node.thumbnail),
            more=len(node.ingredients) - len(children),
            children=tuple(children),
        )

    def _thumbnail(self, data_uri: str | None) -> str | None:
        if not data_uri or self.thumbnails <= 0:
            return None
        self.thumbnails -= 1
        return safe_thumbnail(data_uri)


def _step(action: Mapping[str, Any], lang: str) -> Step:
    source, why = action.get("digital_source_type"), action.get("description") or action.get("reason")
    return Step(
        text=term("action", action.get("action"), lang),
        ai=ai_step(action),
        source=term("source", source, lang) if source else None,
        software=clean(action["software"]) if action.get("software") else None,
        when=_when(action.get("when")),
        why=clean(why, 300) if why else None,
    )


def _when(value: object) -> str | None:
    """A recorded time like all other times of the page; what is no time is shown as it stands."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return clean(value, 40)
    return moment(found) if found.tzinfo else clean(value, 40)


def _identity(identity: Mapping[str, Any]) -> str:
    """Names first, then the kind of identity; all of it the file's own words."""
    named = [item for item in identity.get("identities") or () if isinstance(item, Mapping)]
    names = [clean(item.get("name") or item.get("username") or item.get("uri") or "") for item in named]
    parts = [", ".join(filter(None, names)), clean_or(identity.get("issuer"), ""), clean_or(identity.get("type"), "")]
    return " · ".join(filter(None, parts)) or "—"


def _facts(report: VerificationReport, lang: str) -> tuple[Row, ...]:
    basis, signer = report.basis, report.answers.signer
    rows: list[tuple[str, str | None]] = [
        ("name", clean_or(report.asset.name, "—")),
        ("sha256", clean(report.asset.sha256)),
        ("size", sentence("report-bytes", lang, size=f"{report.asset.size:,}".replace(",", "\u202f"))),
        ("type", clean(report.asset.media_type)),
        ("certificate", clean(signer.fingerprint) if signer.fingerprint else None),
        ("serial", clean(signer.serial) if signer.serial else None),
        ("validity", f"{moment(signer.not_before) or '—'} – {moment(signer.not_after) or '—'}"
         if signer.not_before or signer.not_after else None),
        ("algorithm", clean(signer.algorithm) if signer.algorithm else None),
    ]  # fmt: skip
    of_file = tuple(Row(sentence(f"report-fact-{name}", lang), text, name) for name, text in rows if text)
    return (*of_file, *basis_rows(basis, lang))


def basis_rows(basis: Basis | None, lang: str) -> tuple[Row, ...]:
    """What a check rests on beside the file: its time, the moment asked about, the network, the versions."""
    if basis is None:
        return ()
    engines = ", ".join(f"{clean(name)} {clean(version)}" for name, version in basis.engines.items())
    rows = (
        ("checked", moment(basis.checked_at)),
        ("asof", moment(basis.as_of)),
        ("network", sentence(f"report-network-{'yes' if basis.network else 'no'}", lang)),
        ("tanba", clean(basis.tanba)),
        ("engines", engines or None),
    )
    return tuple(Row(sentence(f"report-fact-{name}", lang), text, name) for name, text in rows if text)


def _statement(item: Any, lang: str) -> tuple[str, str, str, str]:
    """Layer, what is said, by whom, how strongly."""
    what = term("source", item.what, lang)
    if item.value and not item.value.endswith(item.what):
        what = f"{what} ({term('action', item.value, lang)})"
    scope = "" if item.scope == "asset" else f" — {sentence('term-part', lang)}"
    return (
        term("layer", item.layer.value, lang),
        what + scope,
        clean_or(item.who, "—"),
        term("strength", item.strength.value, lang),
    )


def list_rows(basis: Basis | None, lang: str) -> tuple[tuple[str, str, str, str, str], ...]:
    """Every trust list of a check: name, purpose, date with age, SHA-256, source."""
    return tuple(_list(item, basis.checked_at, lang) for item in basis.trust_lists) if basis else ()


def _list(item: TrustListRef, checked: datetime | None, lang: str) -> tuple[str, str, str, str, str]:
    age = age_days(item, checked)
    dated = clean_or(item.date, sentence("report-undated", lang))
    if not item.dated:
        dated += f" ({sentence('report-added', lang)})"
    elif age is not None:
        dated += f" ({sentence('report-age', lang, days=age)})"
    if age is None or age > OLD_AFTER_DAYS:
        dated += f" — {sentence('report-old', lang)}"
    purpose = term("purpose", item.purpose, lang)
    return clean(item.name), purpose, dated, clean(item.sha256), clean_or(item.source, "—", 300)


def _second(report: VerificationReport, lang: str) -> Row | None:
    opinion = report.second_opinion
    if not opinion:
        return None
    engine = clean_or(opinion.get("engine"), "—")
    return Row(engine, second_sentence(opinion, lang), clean_or(opinion.get("version"), ""))


def _recovery(item: Mapping[str, Any]) -> Row:
    return Row(clean_or(item.get("title") or item.get("manifest_id"), "—"), clean_or(item.get("method"), "—"))


def _code(item: Any, lang: str) -> CodeRow:
    said = explain(item.code, lang)
    subject = " — ".join(clean(part, 300) for part in (item.subject, item.text) if part)
    return CodeRow(
        clean(item.code),
        item.bucket.value,
        term("bucket", item.bucket.value, lang),
        said.clause or "—",
        said.text,
        subject or None,
    )


def _suspicious(report: VerificationReport, lang: str) -> tuple[Row, ...]:
    rows: dict[str, Row] = {}
    for name in names_shown(report):
        if kinds := suspicions(name):
            shown = clean(name)
            rows.setdefault(shown, Row(shown, "; ".join(sentence(f"term-suspicion-{kind}", lang) for kind in kinds)))
    return tuple(rows.values())[:20]


def language_names() -> tuple[tuple[str, str], ...]:
    """Tag and own name of every language, for pages that offer a choice."""
    return tuple((tag, NAMES[tag]) for tag in LANGUAGES)
