"""Import strings through which a command asks for what its own package must not reach (docs/adr/0005).

``verifier`` cannot import ``keys``: code that checks must not be able to sign by accident. ``tanba verify --sign`` is an
explicit wish of the user at the command line, so the composition happens here, by name, when the wish is there. Nothing
but a command module may call these.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from tanba.protocols import Signer

IDENTITY = "keys.opening:open_identity"
"""(name or None) -> context manager of a :class:`tanba.protocols.Signer`."""
TIMESTAMP_REQUEST = "keys.timestamp:build_request"
TIMESTAMP_FETCH = "keys.timestamp:fetch_any"


def open_signer(name: str | None) -> AbstractContextManager[Signer]:
    """The user's active identity, or the one called ``name``. Raises :class:`tanba.errors.CredentialError`."""
    opened: AbstractContextManager[Signer] = _resolve(IDENTITY)(name)
    return opened


def stamp(message: bytes, urls: Sequence[str]) -> bytes:
    """An RFC 3161 TimeStampResp (DER) over ``message`` from the first authority that answers.

    Raises :class:`tanba.errors.TimestampError`.
    """
    request = _resolve(TIMESTAMP_REQUEST)(message)
    response: bytes = _resolve(TIMESTAMP_FETCH)(request, urls).response
    return response


def _resolve(target: str) -> Any:
    module, _, attribute = target.partition(":")
    return getattr(importlib.import_module(module), attribute)
