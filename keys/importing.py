"""Taking in a key and chain that exist already: PKCS#8 or PKCS#12 files, or a chain for a key at another provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from keys import algorithms, certificates, files, keyring, lifecycle, opening, pkcs8, providers
from keys.check import Checked, check
from keys.keyring import CLAIM, IdentityInfo
from keys.providers import file as file_provider
from keys.providers import pkcs12
from keys.providers.base import KeyReference, PinnedKey, Secrets
from keys.states import State
from tanba.errors import CredentialError, UsageError


@dataclass(frozen=True, slots=True)
class Material:
    """What is imported. Exactly one of ``key_pem``, ``pkcs12`` and ``provider`` says where the key is."""

    line: str
    chain_pem: bytes | None = None
    key_pem: bytes | None = None
    """PKCS#8, kept as it is: an encrypted key stays encrypted."""
    pkcs12: bytes | None = None
    provider: str | None = None
    """The key stays at this provider; ``options`` say where."""
    options: Mapping[str, str] = field(default_factory=dict)
    algorithm: str | None = None
    """Found from the key when it is None."""
    purpose: str = CLAIM
    tenant: str = ""


class FaultsFound(CredentialError):
    """The pre-flight found errors; ``details`` lists them."""

    default_code = "tanba.keys.faults"


def require_usable(checked: Checked) -> None:
    """Raises :class:`FaultsFound` that names every error and its cure in words, and their codes in ``details``."""
    errors = [item for item in checked.faults if item.weight.value == "error"]
    if errors:
        raise FaultsFound(
            "; ".join(item.message for item in errors),
            hint="; ".join(dict.fromkeys(item.cure for item in errors)),
            details={"codes": [item.code for item in errors]},
        )


def take(home: Path, material: Material, *, clock: Callable[[], datetime], secrets: Secrets | None) -> IdentityInfo:
    """Check the material, store it, and add a pending identity.

    Raises :class:`FaultsFound`, :class:`PassphraseRequired`, :class:`CredentialError` or :class:`UsageError`.
    """
    keyring.check_line(material.line)
    now = clock()
    chain, public, options, provider = _read(home, material, secrets)
    ordered = certificates.ordered(chain)
    fitting = (
        algorithms.get(material.algorithm) if material.algorithm else algorithms.default_for(ordered[0].public_key())
    )
    require_usable(check([certificates.dump_chain(ordered)], now=now, algorithm=material.algorithm))
    if public is not None and public != certificates.spki(ordered[0].public_key()):
        raise CredentialError(
            "the private key does not belong to the certificate", code="tanba.keys.key_mismatch",
            hint="import the key that the certificate was requested with",
        )  # fmt: skip
    assert fitting is not None, "the pre-flight refuses keys that fit no algorithm"
    with keyring.changing(home) as save:
        ring = keyring.load(home)
        entry = IdentityInfo(
            keyring.new_name(ring, material.line, now), material.line, State.PENDING, fitting.name, provider, now,
            material.purpose, material.tenant, options=options,
            public_key=sha256(certificates.spki(ordered[0].public_key())).hexdigest(),
        )  # fmt: skip
        folder = files.private_directory(opening.folder(home, entry))
        if material.key_pem is not None:
            files.write(folder / file_provider.FILE, material.key_pem)
        if material.pkcs12 is not None:
            files.write(folder / pkcs12.FILE, material.pkcs12)
        entry = lifecycle.store_chain(home, entry, ordered, None)
        entry = _prove(folder, entry, secrets)
        save(ring.add(entry))
    return entry


def _read(
    home: Path, material: Material, secrets: Secrets | None
) -> tuple[certificates.Chain, bytes | None, dict[str, str], str]:
    """Chain, public key (when the key is at hand), pointers and provider's name."""
    ways = [material.key_pem is not None, material.pkcs12 is not None, material.provider is not None]
    if sum(ways) != 1:
        raise UsageError("say where the key is", hint="give one of --key, --pkcs12 and --provider")
    options = dict(material.options)
    where = KeyReference(algorithms.get("es256"), home, options, secrets)
    if material.pkcs12 is not None:
        key, inside = pkcs12.load(material.pkcs12, where.secret("passphrase"))
        chain = certificates.load_chain(material.chain_pem) if material.chain_pem else inside
        if not chain:
            raise UsageError("the PKCS#12 file holds no certificate", hint="give the chain with --chain")
        return chain, certificates.spki(key.public_key()), options, "pkcs12"
    if material.chain_pem is None:
        raise UsageError("there is no certificate", hint="give the chain with --chain")
    chain = certificates.load_chain(material.chain_pem)
    if material.key_pem is None:
        return chain, None, options, material.provider or ""
    encrypted = pkcs8.is_encrypted(material.key_pem)
    found = pkcs8.load(material.key_pem, where.secret("passphrase") if encrypted else None)
    return chain, certificates.spki(found.public_key()), options, "file"


def _prove(folder: Path, entry: IdentityInfo, secrets: Secrets | None) -> IdentityInfo:
    """Open what was stored; a key elsewhere must be there and be the certificate's. The entry, with what pins the key."""
    reference = KeyReference(algorithms.get(entry.algorithm), folder, entry.options, secrets)
    with providers.get(entry.provider).open_key(reference) as key:
        found = sha256(key.public_key_der()).hexdigest()
        pinned = key.pinned() if isinstance(key, PinnedKey) else {}
    if found != entry.public_key:
        raise CredentialError(
            "the provider's key does not belong to the certificate", code="tanba.keys.key_mismatch",
            hint="check the options that name the key",
        )  # fmt: skip
    return replace(entry, options={**entry.options, **pinned})


__all__ = ["FaultsFound", "Material", "require_usable", "take"]
