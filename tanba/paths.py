"""Where Tanba keeps things of one user. The only kernel module that looks at the environment for paths."""

from __future__ import annotations

import os
from pathlib import Path


def data_dir() -> Path:
    """``TANBA_HOME``, or the platform's user data directory (``~/.local/share/tanba`` on Linux). Not created here."""
    if home := os.environ.get("TANBA_HOME"):
        return Path(home)
    from platformdirs import user_data_path

    return user_data_path("tanba", appauthor=False)


def keys_dir() -> Path:
    """``TANBA_KEYS_DIR`` or ``<data>/keys``: the keyring and private files, mode 0700."""
    return Path(os.environ.get("TANBA_KEYS_DIR") or data_dir() / "keys")


def trust_dir() -> Path:
    """``TANBA_TRUST_DIR`` or ``<data>/trust``: the trust lists the user configured (public certificates only)."""
    return Path(os.environ.get("TANBA_TRUST_DIR") or data_dir() / "trust")


def cache_dir() -> Path:
    """``TANBA_CACHE_DIR`` or ``<data>/cache``: answers of networks the user asked for (OCSP, CRL)."""
    return Path(os.environ.get("TANBA_CACHE_DIR") or data_dir() / "cache")
