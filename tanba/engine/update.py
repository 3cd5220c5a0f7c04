"""Update manifests: a new, time-stamped signature over a label that stays as it is (C2PA 2.4 section 11.3).

An update manifest has no hard binding of its own: it vouches for the manifest before it, which becomes its parent. The
engine is told to stamp that parent's signature too (``c2pa.time-stamp``), so that both outlive their certificates.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import BinaryIO
from urllib.parse import urlsplit

import c2pa

from tanba import __version__
from tanba.engine import native, write
from tanba.errors import EngineError
from tanba.protocols import Signer
from tanba.trust import TrustStore


class LaterStamp(StrEnum):
    """How an embedded label can get a time stamp after it was made."""

    UPDATE = "update"
    """By an update manifest."""
    PADDING = "padding"
    """In the padding of its signature, if there is room: the store keeps its length and its place."""
    NEVER = "never"
    """The file must be labelled again."""


_UPDATE = frozenset(
    {
        "image/jpeg", "image/png", "image/gif", "image/svg+xml", "image/avif", "image/heic", "image/heif",
        "video/mp4", "video/quicktime", "video/x-m4v", "audio/mp4",
    }
)  # fmt: skip
_PADDING = frozenset(
    {
        "image/webp", "image/tiff", "image/x-adobe-dng", "application/pdf", "audio/wav", "audio/mpeg", "video/avi",
    }
)  # fmt: skip
"""The engine's update manifests break the hard binding of these (their length fields are hashed, or the exclusion is
that of the old store), and they hold the store in one piece without a checksum over it.
"""


def later_stamp(media_type: str) -> LaterStamp:
    """What is possible for a kind of file; tests hold it against the engine."""
    if media_type in _UPDATE:
        return LaterStamp.UPDATE
    return LaterStamp.PADDING if media_type in _PADDING else LaterStamp.NEVER


def update(source: BinaryIO, media_type: str, signer: Signer, destination: BinaryIO, *, timestamp_url: str) -> bytes:
    """Copy a labelled asset and add a time-stamped update manifest; returns the raw manifest store.

    ``source`` must carry an intact label. Raises what :func:`tanba.engine.write.sign` raises.
    """
    settings = native.settings(TrustStore.empty(), signing=True)
    settings["core"]["allowed_network_hosts"] = [urlsplit(timestamp_url).netloc]
    settings["builder"]["auto_timestamp_assertion"] = {"enabled": True, "skip_existing": True, "fetch_scope": "parent"}
    definition = json.dumps({"claim_generator_info": [{"name": "Tanba", "version": __version__}]})
    causes: list[BaseException] = []
    try:
        with (
            c2pa.Settings.from_json(json.dumps(settings)) as made,
            c2pa.Context(made) as context,
            c2pa.Builder(definition, context=context) as builder,
            write.engine_signer(signer, timestamp_url, causes) as native_signer,
        ):
            builder.set_intent(c2pa.C2paBuilderIntent.UPDATE)
            return bytes(builder.sign(native_signer, media_type, source, destination))
    except c2pa.C2paError as error:
        mapped = write.typed_error(error, causes, media_type)
        raise mapped from (mapped.__cause__ if mapped in causes else causes[0] if causes else error)
    except AttributeError as error:
        raise EngineError("the engine knows no update manifests") from error
