"""Where secrets come from. The only module of ``keys`` that looks at the environment, and only at a name the user gave.

A source is a word that may stand in the keyring, on a command line or in a log; the secret itself never may:
``env:NAME``, ``file:PATH`` (0600, first line), ``keyring:SERVICE/USER`` (the desktop's own), ``prompt``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from keys import files
from tanba.errors import PassphraseRequired, UsageError

KINDS = ("env", "file", "keyring", "prompt")


def check_source(source: str) -> str:
    """Whether a text is a source and not, by mistake, the secret. Raises :class:`UsageError` without repeating it."""
    kind, _, rest = source.partition(":")
    if kind not in KINDS or (kind != "prompt" and not rest):
        raise UsageError(
            "not a source of a pass-phrase",
            hint="use env:NAME, file:PATH, keyring:SERVICE/USER or prompt; never the pass-phrase itself",
        )
    return source


def resolver(prompt: Callable[[str], str] | None = None) -> Callable[[str], str]:
    """A function from source to secret. ``prompt`` asks the person at the terminal; without it, ``prompt`` is refused."""

    def resolve(source: str) -> str:
        kind, _, rest = check_source(source).partition(":")
        match kind:
            case "env":
                return _environment(rest)
            case "file":
                return files.read(Path(rest).expanduser(), secret=True).decode("utf-8").partition("\n")[0].rstrip("\r")
            case "keyring":
                return _keyring(rest)
            case _:
                if prompt is None:
                    raise PassphraseRequired(
                        "this key asks for its pass-phrase and nobody is there to type it",
                        hint="let the keyring name another source: env:NAME, file:PATH or keyring:SERVICE/USER",
                    )
                return prompt("Pass-phrase of the signing key")

    return resolve


def _environment(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError as error:
        raise PassphraseRequired(f"the environment variable {name} is not set") from error


def _keyring(place: str) -> str:
    service, _, user = place.partition("/")
    try:
        import keyring
    except ImportError as error:
        from keys.providers.base import missing_extra

        raise missing_extra("keyring", error) from error
    try:
        found = keyring.get_password(service, user)
    except keyring.errors.KeyringError as error:
        raise PassphraseRequired("the desktop's key ring did not answer") from error
    if found is None:
        raise PassphraseRequired(f"the desktop's key ring holds nothing under {service}/{user}")
    return str(found)
