"""Where the corpus of real files from elsewhere is, and its trust profiles."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tanba.trust import Purpose, TrustList, TrustStore

HOME = Path(os.environ.get("TANBA_CORPUS") or Path(__file__).resolve().parents[2] / "shared" / "corpus")

needs_corpus = pytest.mark.skipif(
    not (HOME / "corpus.json").is_file(), reason="the shared corpus is not on this machine (set TANBA_CORPUS)"
)


def cases(kind: str | None = None) -> list[dict[str, Any]]:
    """All cases, or those of one kind (``media`` or ``text``); empty where there is no corpus."""
    if not (HOME / "corpus.json").is_file():
        return []
    found: list[dict[str, Any]] = json.loads((HOME / "corpus.json").read_text("utf-8"))["cases"]
    return [case for case in found if kind is None or case["kind"] == kind]


def path(case: dict[str, Any]) -> Path:
    return HOME / str(case["file"])


@cache
def trust(profile: str) -> TrustStore:
    """A trust profile of the corpus, as named lists."""

    def listed(name: str, file: str, purpose: Purpose = Purpose.MANIFEST, allowed: str | None = None) -> TrustList:
        folder = HOME / "trust"
        return TrustList(
            name,
            purpose,
            (folder / file).read_text("utf-8"),
            source=file,
            date="2026-08-21",
            allowed_pem=(folder / allowed).read_text("utf-8") if allowed else None,
        )

    match profile:
        case "no_trust":
            return TrustStore.empty()
        case "c2pa_list_plus_eku_cfg":
            return TrustStore((listed("c2pa", "c2pa.pem"), listed("c2pa-tsa", "tsa.pem", Purpose.TSA)))
        case "interim_list":
            return TrustStore((listed("interim", "itl_anchors.pem", allowed="itl_allowed.pem"),))
        case "test_roots":
            return TrustStore((listed("c2pa-rs-test", "test_roots.pem"),))
    raise KeyError(profile)
