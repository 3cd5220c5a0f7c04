"""Independent validators of text marks, each reduced to: intact, trusted with our root, and the codes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import c2pa_structured_text
import c2pa_text
import c2pa_unstructured_text
import c2patxt
import encypher_c2pa
from c2pa_text import html as c2pa_text_html

from tests.text.conftest import ChainToRoot


@dataclass(frozen=True)
class Opinion:
    intact: bool
    trusted: bool


STRUCTURED_FALLBACK = "text/markdown"
"""What encypher-c2pa is told for structured formats that it does not list: A.9 is the same in all of them."""
_KNOWN = frozenset(encypher_c2pa.supported_mime_types())


def encypher(raw: bytes, media_type: str, root: str) -> Opinion:
    found: Any = encypher_c2pa.verify(
        raw,
        media_type if media_type in _KNOWN else STRUCTURED_FALLBACK,
        trust_pem=root,
        no_default_trust=True,
        telemetry=False,
    )
    intact = found["integrity"] == "valid" and found["hard_binding"] == "match"
    return Opinion(intact, found["trust"]["status"].startswith("valid"))


def c2pa_text_signed(raw: bytes, root: str) -> Opinion:
    context = c2patxt.VerifyContext(anchors_pem=root.encode(), trust_evaluator=ChainToRoot())
    verdict = c2patxt.verify(raw.decode(), context=context)
    return Opinion(
        verdict.state in (c2patxt.Provenance.VALID, c2patxt.Provenance.TRUSTED),
        verdict.state is c2patxt.Provenance.TRUSTED,
    )


def unstructured_payload(raw: bytes) -> bytes | None:
    """The store that c2pa-unstructured-text finds."""
    found = c2pa_unstructured_text.extract(raw.decode())
    return bytes(found["payload"]) if found else None


def unstructured_binds(raw: bytes, digest: bytes, exclusions: list[tuple[int, int]]) -> bool:
    """Whether c2pa-unstructured-text accepts that data hash for that text."""
    try:
        c2pa_unstructured_text.verify_data_hash(raw.decode(), digest, exclusions, "sha256")
    except ValueError:
        return False
    return True


def structured_payload(raw: bytes) -> bytes | None:
    """The store that c2pa-structured-text finds."""
    found = c2pa_structured_text.classify_reference(c2pa_structured_text.extract_reference(raw.decode()))
    return bytes(found.data) if found.kind == "embedded" else None


def structured_hash(raw: bytes) -> tuple[bytes, list[tuple[int, int]]]:
    """The data hash that c2pa-structured-text computes for a marked text."""
    found = c2pa_structured_text.compute_data_hash(raw.decode(), "sha256")
    digest = found.hash if isinstance(found.hash, bytes) else base64.b64decode(found.hash)
    return bytes(digest), [c2pa_structured_text.manifest_exclusion(raw.decode())]


def html_payload(raw: bytes) -> bytes | None:
    """The store that c2pa-text finds in HTML."""
    return c2pa_text_html.extract_html(raw.decode()).manifest


__all__ = ["c2pa_text"]
