"""A throw-away PKI, one way to label a text, and the independent judges."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.x509 import Certificate

from labeler.text import PreparedText, TextLabelResult, TextOptions, label_text, prepare
from tanba.asset import Asset
from tanba.engine import definition as defs
from tanba.model import Carrier, Disclosure, Involvement
from tanba.report import VerificationReport
from tanba.text.evidence import TextReading, read_marked
from tanba.trust import TrustStore
from tests.pki import LocalSigner, Pki, make_pki
from verifier.procedure import Settings, verify_asset

MOMENT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GENERATED = Disclosure(involvement=Involvement.GENERATED, system="ExampleLM")

NAMES = {
    "text/plain": "note.txt", "text/markdown": "note.md", "text/html": "page.html", "application/yaml": "a.yaml",
    "application/toml": "a.toml", "application/xml": "a.xml", "text/x-python": "a.py", "text/javascript": "a.js",
    "text/css": "a.css", "application/x-sh": "a.sh", "application/sql": "a.sql", "application/x-tex": "a.tex",
    "text/x-c": "a.c", "text/x-rust": "a.rs", "text/x-go": "a.go", "text/x-java": "a.java", "text/x-ini": "a.ini",
    "text/x-rst": "a.rst", "text/x-lua": "a.lua", "text/x-ruby": "a.rb", "application/x-php": "a.php",
    "application/json": "a.json", "text/csv": "a.csv", "text/vtt": "a.vtt", "text/mdx": "a.mdx", "text/x-scss": "a.scss",
    "text/x-dockerfile": "Dockerfile", "text/x-swift": "a.swift", "text/x-lisp": "a.el", "text/x-erlang": "a.erl",
    "application/xhtml+xml": "a.xhtml", "text/x-ocaml": "a.ml", "text/x-perl": "a.pl", "text/x-config": "a.cfg",
}  # fmt: skip


@dataclass(frozen=True)
class Desk:
    """A signer and the trust that knows it."""

    pki: Pki
    signer: LocalSigner

    @property
    def trust(self) -> TrustStore:
        return self.pki.store()

    @property
    def root(self) -> str:
        return self.pki.root_pem.decode()

    def label(
        self,
        text: str | bytes,
        media_type: str = "text/plain",
        *,
        carrier: Carrier | None = None,
        compact: bool = False,
        reference: str | None = None,
        signer: Any = None,
        assertions: Sequence[dict[str, Any]] = (),
        disclosure: Disclosure = GENERATED,
    ) -> TextLabelResult:
        raw = text.encode() if isinstance(text, str) else text
        prepared = prepare(raw, media_type)
        return self.label_prepared(
            prepared, carrier=carrier, compact=compact, reference=reference, signer=signer, assertions=assertions,
            disclosure=disclosure,
        )  # fmt: skip

    def label_prepared(
        self,
        prepared: PreparedText,
        *,
        carrier: Carrier | None = None,
        compact: bool = False,
        reference: str | None = None,
        signer: Any = None,
        assertions: Sequence[dict[str, Any]] = (),
        disclosure: Disclosure = GENERATED,
    ) -> TextLabelResult:
        context = defs.Context(
            moment=MOMENT,
            content_id="7f",
            parent=prepared.parent is not None,
            parent_is_input=prepared.parent is not None,
        )
        definition = defs.build(disclosure, context)
        definition["assertions"] = [*definition["assertions"], *assertions]
        options = TextOptions(carrier=carrier, compact=compact, reference=reference)
        return label_text(prepared, definition, signer or self.signer, options)

    def read(self, raw: bytes, media_type: str = "text/plain", manifest: bytes | None = None) -> TextReading:
        return read_marked(raw, media_type, trust=self.trust, manifest=manifest)

    def verify(self, raw: bytes, media_type: str = "text/plain", manifest: bytes | None = None) -> VerificationReport:
        asset = Asset.from_bytes(raw, name=NAMES[media_type])
        return verify_asset(asset, Settings(trust=self.trust), manifest=manifest)


@pytest.fixture(scope="session")
def desk() -> Desk:
    pki = make_pki()
    return Desk(pki, pki.leaf().signer())


@dataclass(frozen=True)
class ChainToRoot:
    """The trust evaluator that c2patxt wants from its caller: leaf, intermediate, our root; nothing else."""

    def is_trusted(self, chain: list[Certificate], anchors: list[Certificate]) -> bool:
        for child, parent in itertools.pairwise(chain):
            child.verify_directly_issued_by(parent)
        return any(_issued(chain[-1], anchor) for anchor in anchors)


def _issued(child: Certificate, anchor: Certificate) -> bool:
    try:
        child.verify_directly_issued_by(anchor)
    except (ValueError, TypeError):
        return False
    return True
