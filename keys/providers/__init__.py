"""The key providers, by the name that stands in the keyring. Each is imported only when a key of its kind is opened."""

from __future__ import annotations

import importlib
from typing import cast

from keys.providers.base import Key, KeyReference, LocalKey, Provider, Secrets
from tanba.errors import UsageError

PROVIDERS: dict[str, str] = {
    "file": "keys.providers.file",
    "pkcs12": "keys.providers.pkcs12",
    "pkcs11": "keys.providers.pkcs11",
    "aws-kms": "keys.providers.kms_aws",
    "vault": "keys.providers.vault",
    "remote": "keys.providers.remote",
}

__all__ = ["PROVIDERS", "Key", "KeyReference", "LocalKey", "Provider", "Secrets", "get"]


def get(name: str) -> Provider:
    """The provider of that name. Raises :class:`UsageError` for any other word."""
    try:
        module = PROVIDERS[name]
    except KeyError as error:
        raise UsageError(f"unknown key provider {name!r}", hint="use " + ", ".join(PROVIDERS)) from error
    return cast(Provider, importlib.import_module(module))
