"""Update manifests: a new, time-stamped signature over a label that stays as it is (C2PA 2.4 section 11.3).

An update manifest has no hard binding of its own: it vouches for the manifest before it, which becomes its parent. The
engine is told to stamp that parent's signature too (``c2pa.time-stamp``), so that both outlive their certificates.
"""

from __future__ import annotations

import json
from typing import BinaryIO
from urllib.parse import urlsplit

import c2pa

from tanba import __version__
from tanba.engine import native, write
from tanba.errors import EngineError
from tanba.protocols import Signer
from tanba.trust import TrustStore


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
