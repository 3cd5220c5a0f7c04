"""Opening an identity for signing: keyring, chain and key, checked against each other, closed on the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

from keys import files, identity, keyring, providers
from keys.keyring import CLAIM, IdentityInfo
from keys.providers.base import DEFAULT_SECONDS, KeyReference, Secrets
from keys.states import State
from tanba.errors import IdentityNotFound, IdentityNotUsable

CHAIN = "chain.pem"
ROOT = "root.pem"


def folder(home: Path, info: IdentityInfo) -> Path:
    """The identity's own folder."""
    return home / info.name


def reference(
    home: Path, info: IdentityInfo, secrets: Secrets | None, seconds: float = DEFAULT_SECONDS
) -> KeyReference:
    """Where the key of an identity is."""
    from keys import algorithms

    return KeyReference(algorithms.get(info.algorithm), folder(home, info), info.options, secrets, seconds)


@contextmanager
def open_identity(
    name: str | None = None,
    *,
    home: Path | None = None,
    purpose: str = CLAIM,
    tenant: str | None = None,
    clock: Callable[[], datetime] | None = None,
    secrets: Secrets | None = None,
    seconds: float = DEFAULT_SECONDS,
) -> Iterator[identity.SigningIdentity]:
    """The active identity of a purpose and tenant, or the one called ``name``, ready to sign.

    The keyring is read at every call: after a rotation the next call signs with the new key, without a restart.
    ``seconds`` bounds each call to the key's provider. Raises :class:`IdentityNotFound`, :class:`IdentityNotUsable`,
    :class:`PassphraseRequired`, :class:`ProviderUnavailable` or another :class:`CredentialError`.
    """
    from keys import config
    from keys.development import utc_now
    from tanba.paths import keys_dir

    place = home or keys_dir()
    ring = keyring.load(place)
    info = ring.find(name) if name is not None else ring.active(purpose, tenant or "")
    if info is None:
        raise IdentityNotFound(
            "there is no active signing identity", hint="`tanba keys new` makes a development identity"
        )
    keyring.usable(info, (clock or utc_now)())
    if info.name != name and info.state is not State.ACTIVE:
        raise IdentityNotUsable(
            f"no identity of the line {name!r} is active",
            hint=f"`tanba keys rotate {name}`, or use {info.name} by name",
        )
    chain = files.read(folder(place, info) / CHAIN)
    with ExitStack() as stack:
        where = reference(place, info, secrets or config.resolver(), seconds)
        key = stack.enter_context(providers.get(info.provider).open_key(where))
        yield identity.make(info, chain, key)


def list_identities(
    *, home: Path | None = None, purpose: str | None = None, tenant: str | None = None
) -> tuple[IdentityInfo, ...]:
    """Every identity of a home, or those of one purpose or tenant. Opens no key."""
    from tanba.paths import keys_dir

    return tuple(
        item
        for item in keyring.load(home or keys_dir()).entries
        if (purpose is None or item.purpose == purpose) and (tenant is None or item.tenant == tenant)
    )
