"""The border to ``c2pa``: hardened settings, contexts per process, and the map from its errors to ours.

Nothing else constructs a ``c2pa`` Context. The library's defaults would fetch attacker-chosen URLs, draw thumbnails
and refuse the C2PA extended key usage; unknown settings are accepted silently, hence :mod:`tanba.engine.selftest`.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import c2pa

from tanba.errors import EngineError, InstallationError
from tanba.trust import TrustStore

SUPPORTED = "0.38."
_MAX_CONTEXTS = 16

_lock = threading.Lock()
_contexts: OrderedDict[tuple[int, str, bool, bool], c2pa.Context] = OrderedDict()


@cache
def versions() -> Mapping[str, str]:
    """Versions of the engine, for reports: ``{"c2pa-python": "0.38.1", "c2pa-rs": "0.91.3"}``."""
    from importlib.metadata import version

    return MappingProxyType({"c2pa-python": version("c2pa-python"), "c2pa-rs": str(c2pa.sdk_version())})


def settings(trust: TrustStore, *, signing: bool = False, compress: bool = False) -> dict[str, Any]:
    """The one hardened settings object.

    No network of any kind (remote manifests, OCSP, redirects, allowed hosts), no thumbnails, trust only in the lists
    given, the published EKU list at top level (inside a named list it has no effect in 0.38), bounded decompression.
    Verify-after-sign is off because the labeler reads every output back and compares more than the engine would.
    """
    anchors = [
        {
            "trust_anchors": item.anchors_pem,
            "trust_uri": item.uri,
            "trust_kind": item.purpose.value,
            **({"allowed_list": item.allowed_pem} if item.allowed_pem else {}),
        }
        for item in trust.lists
    ]
    return {
        "version": 1,
        "trust": {"anchors": anchors, "trust_config": "\n".join(trust.engine_ekus) + "\n"},
        "core": {
            "allowed_network_hosts": [],
            "allow_redirects": False,
            "decode_identity_assertions": True,
            "max_decompressed_manifest_size_in_mb": 16,
            "prefer_compress_manifests": compress,
        },
        "verify": {
            "verify_after_reading": True,
            "verify_after_sign": False,
            "verify_trust": True,
            "verify_timestamp_trust": True,
            "ocsp_fetch": False,
            "remote_manifest_fetch": False,
        },
        "builder": {
            "thumbnail": {"enabled": False},
            **({"actions": {"auto_placed_action": {"enabled": False}}} if signing else {}),
        },
    }


def context(trust: TrustStore, *, signing: bool = False, compress: bool = False) -> c2pa.Context:
    """A shared Context for these anchors. Built per process: c2pa objects are dead after ``fork``.

    Raises :class:`EngineError` when the engine refuses the settings (for example garbage in a trust list).
    """
    key = (os.getpid(), trust.digest, signing, compress)
    with _lock:
        if key in _contexts:
            _contexts.move_to_end(key)
            return _contexts[key]
    check_version()
    try:
        made = c2pa.Context.from_dict(settings(trust, signing=signing, compress=compress))
    except c2pa.C2paError as error:
        raise EngineError(
            f"the C2PA engine refused the settings: {message(error)}",
            code="tanba.engine.settings_refused",
            hint="one of the trust lists may hold a broken certificate: see `tanba trust show`",
        ) from error
    with _lock:
        _contexts[key] = made
        while len(_contexts) > _MAX_CONTEXTS:
            _contexts.popitem(last=False)
    return made


def check_version() -> None:
    """Refuse an engine outside the pinned train: its settings change meaning between trains."""
    found = versions()["c2pa-python"]
    if not found.startswith(SUPPORTED):
        raise InstallationError(
            f"c2pa-python {found} is installed, {SUPPORTED}x is needed",
            hint="install Tanba in its own environment",
        )


def message(error: BaseException) -> str:
    """The engine's words, one line, without paths of this machine, at most 300 characters."""
    return " ".join(str(error).split())[:300]


def is_kind(error: BaseException, *names: str) -> bool:
    """Whether a c2pa error is of a kind, by the library's own type attribute (``C2paError.ManifestNotFound`` ...)."""
    return any(isinstance(error, kind) for kind in (getattr(c2pa.C2paError, name, None) for name in names) if kind)
