"""What may happen to an identity: made, given a certificate, activated, rotated, retired, revoked.

Every change happens under the keyring's lock and leaves a keyring in which exactly one identity is active per purpose
and tenant. Keys are made before the keyring names them, so a crash leaves at worst an unused folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from keys import algorithms, certificates, development, files, keyring, opening, providers
from keys.keyring import CLAIM, IdentityInfo, Keyring
from keys.providers.base import KeyReference, PinnedKey, Secrets
from keys.states import ALLOWED, State
from tanba.errors import CredentialError, IdentityNotUsable, TransitionRefused, UsageError

if TYPE_CHECKING:
    from cryptography import x509

Clock = Callable[[], datetime]
DEVELOPMENT_LINE = "development"


@dataclass(frozen=True, slots=True)
class Plan:
    """What kind of identity to make."""

    line: str
    algorithm: str = algorithms.DEFAULT_ALGORITHM
    provider: str = "file"
    options: Mapping[str, str] = field(default_factory=dict)
    purpose: str = CLAIM
    tenant: str = ""
    organization: str = development.ORGANIZATION
    certify: bool = True
    """Certified by this machine's development authority now; otherwise a CSR goes to a real CA."""
    existing: bool = False
    """The key is at the provider already; do not make one."""
    days: float = development.LEAF_DAYS


def create(home: Path, plan: Plan, *, clock: Clock, secrets: Secrets | None = None) -> IdentityInfo:
    """Make a key and a pending identity; with ``plan.certify`` also its development certificate.

    Raises :class:`CredentialError`, :class:`ProviderUnavailable`, :class:`UsageError`, :class:`StorageError`.
    """
    with keyring.changing(home) as save:
        ring, entry = _create(home, keyring.load(home), plan, clock(), secrets)
        save(ring)
    return entry


def ensure_development_identity(
    home: Path | None = None,
    trust_dir: Path | None = None,
    clock: Clock = development.utc_now,
    *,
    purpose: str = CLAIM,
    tenant: str = "",
    algorithm: str = algorithms.DEFAULT_ALGORITHM,
) -> tuple[IdentityInfo, bool]:
    """The active identity, or a new development identity when this home has none yet. True when one was made.

    An expired *development* certificate is replaced without asking. Where somebody retired or revoked what was there,
    nothing is invented: raises :class:`IdentityNotUsable`.
    """
    from tanba import paths

    place, trusted = home or paths.keys_dir(), trust_dir or paths.trust_dir()
    now = clock()
    found = keyring.load(place).active(purpose, tenant)
    if found is not None and not _worn_out(found, now):
        return found, False
    with keyring.changing(place) as save:
        ring = keyring.load(place)
        found = ring.active(purpose, tenant)
        if found is not None and not _worn_out(found, now):
            return found, False
        used = [item for item in ring.entries if (item.purpose, item.tenant) == (purpose, tenant)]
        if found is None and any(item.state is not State.PENDING for item in used):
            raise IdentityNotUsable(
                "no identity is active, and the earlier ones were retired or revoked",
                hint="decide: `tanba keys new` and `tanba keys activate`",
            )
        line = found.line if found else DEVELOPMENT_LINE
        plan = Plan(line, algorithm=found.algorithm if found else algorithm, purpose=purpose, tenant=tenant)
        ring, entry = _create(place, ring, plan, now, None)
        ring = take_over(ring, entry.name, now)
        save(ring)
    development.trust(place, trusted, now)
    return ring.find(entry.name), True


def take_over(ring: Keyring, name: str, now: datetime) -> Keyring:
    """Make a pending identity the active one; the one before it, if any, starts retiring in the same step."""
    entry = ring.find(name)
    before = ring.active(entry.purpose, entry.tenant)
    if not entry.fingerprint:
        raise IdentityNotUsable(
            f"{entry.name} has no certificate yet", hint=f"`tanba keys install {entry.name} CHAIN` first"
        )
    if before is not None and before.name != entry.name:
        ring = ring.move(before.name, State.RETIRING, now)
    return ring.move(entry.name, State.ACTIVE, now)


def rotate(home: Path, name: str, *, clock: Clock, secrets: Secrets | None = None) -> IdentityInfo:
    """A new key of the same kind for a line. A development identity takes over at once; for a real CA the new one
    stays pending until its certificate is installed and it is activated.

    C2PA forbids renewing a certificate with the same key, so a rotation always makes a new one.
    """
    now = clock()
    with keyring.changing(home) as save:
        ring = keyring.load(home)
        old = ring.find(name)
        if old.state not in {State.ACTIVE, State.RETIRING}:
            raise TransitionRefused(
                f"{old.name} is {old.state.value} and cannot be rotated",
                hint="only an identity in use has a successor; make one with `tanba keys new`",
            )
        waiting = [item for item in ring.entries if item.line == old.line and item.state is State.PENDING]
        if waiting:
            raise TransitionRefused(
                f"{waiting[-1].name} is waiting to succeed it already",
                hint=f"`tanba keys activate {waiting[-1].name}`, or revoke it",
            )
        plan = Plan(
            old.line, old.algorithm, old.provider, _for_successor(old, ring, now), old.purpose, old.tenant,
            old.organization or development.ORGANIZATION, certify=old.development,
        )  # fmt: skip
        ring, entry = _create(home, ring, plan, now, secrets)
        if entry.development and old.state is State.ACTIVE:
            ring = take_over(ring, entry.name, now)
        save(ring)
    return ring.find(entry.name)


def install(home: Path, name: str, chain_pem: bytes, *, root_pem: bytes | None = None) -> IdentityInfo:
    """Give a pending identity the chain that a CA returned. The leaf must certify this identity's key.

    The chain may come in any order and with its root; it is stored leaf first, without the root. Faults are judged by
    :mod:`keys.check` before this is called. Raises :class:`CredentialError`, :class:`TransitionRefused`.
    """
    chain = certificates.ordered(certificates.load_chain(chain_pem))
    with keyring.changing(home) as save:
        ring = keyring.load(home)
        entry = require_pending(ring.upcoming(name))
        found = sha256(certificates.spki(chain[0].public_key())).hexdigest()
        if found != entry.public_key:
            raise CredentialError(
                f"this certificate is not for the key of {entry.name}",
                code="tanba.keys.key_mismatch",
                hint=f"send the CSR of `tanba keys csr {entry.name}` to the CA, and install what it returns",
            )
        entry = store_chain(home, entry, chain, root_pem)
        save(ring.put(entry))
    return entry


def require_pending(entry: IdentityInfo) -> IdentityInfo:
    """The entry, if a certificate may be asked for and installed. Raises :class:`TransitionRefused`."""
    if entry.state is not State.PENDING:
        raise TransitionRefused(
            f"{entry.name} is {entry.state.value}; a certificate is requested and installed only while an identity is"
            " pending",
            hint=f"a new certificate needs a new key: `tanba keys rotate {entry.line}`",
        )
    return entry


def activate(home: Path, name: str, *, clock: Clock, probe: Callable[[IdentityInfo], None]) -> IdentityInfo:
    """Let a pending identity sign, after ``probe`` made a real label with it and read it back.

    ``probe`` runs outside the lock (a token or a KMS may take seconds). Raises what it raises, or
    :class:`TransitionRefused`.
    """
    from keys.states import check

    before = keyring.load(home).upcoming(name)
    check(before.name, before.state, State.ACTIVE)
    probe(before)
    with keyring.changing(home) as save:
        ring = take_over(keyring.load(home), before.name, clock())
        save(ring)
    return ring.find(before.name)


def move(home: Path, name: str, state: State, *, clock: Clock, reason: str = "") -> IdentityInfo:
    """Any other change of state. A line's name is enough where only one of its identities can be meant.

    Raises :class:`TransitionRefused`, :class:`UsageError` (several could be meant) or :class:`IdentityNotFound`.
    """
    with keyring.changing(home) as save:
        ring = keyring.load(home)
        full = _meant(ring, name, state)
        save(ring := ring.move(full, state, clock(), reason=reason))
    return ring.find(full)


def store_chain(
    home: Path, entry: IdentityInfo, chain: tuple[x509.Certificate, ...], root_pem: bytes | None
) -> IdentityInfo:
    """Write a chain into the identity's folder and its facts into the entry (the caller saves the keyring)."""
    place = files.private_directory(opening.folder(home, entry))
    roots = tuple(item for item in chain[1:] if certificates.self_issued(item))
    kept = tuple(item for item in chain if item not in roots)
    root = root_pem or certificates.dump_chain(roots)
    if root:
        files.write(place / opening.ROOT, root, mode=0o644)
    files.write(place / opening.CHAIN, certificates.dump_chain(kept), mode=0o644)
    leaf = kept[0]
    return replace(
        entry,
        fingerprint=certificates.fingerprint(leaf),
        subject=certificates.common_name(leaf),
        organization=certificates.organization(leaf),
        serial=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
    )


def _create(
    home: Path, ring: Keyring, plan: Plan, now: datetime, secrets: Secrets | None
) -> tuple[Keyring, IdentityInfo]:
    keyring.check_line(plan.line)
    keyring.check_word(plan.purpose, "purpose")
    keyring.check_word(plan.tenant, "tenant")
    entry = IdentityInfo(
        keyring.new_name(ring, plan.line, now), plan.line, State.PENDING, algorithms.get(plan.algorithm).name,
        plan.provider, now, plan.purpose, plan.tenant, organization=plan.organization, options=dict(plan.options),
    )  # fmt: skip
    provider = providers.get(plan.provider)
    where = KeyReference(algorithms.get(plan.algorithm), opening.folder(home, entry), entry.options, secrets)
    if not plan.existing:
        provider.create_key(where)
    with provider.open_key(where) as key:
        public = key.public_key_der()
        pinned = key.pinned() if isinstance(key, PinnedKey) else {}
    entry = replace(entry, public_key=sha256(public).hexdigest(), options={**entry.options, **pinned})
    if plan.certify:
        authority = development.authority(home, now)
        chain = authority.certify(
            public, common_name=f"{plan.line} {plan.tenant}".strip(), organization=plan.organization, now=now,
            days=plan.days, ocsp_url=plan.options.get("ocsp_url"),
        )  # fmt: skip
        root = certificates.dump_chain((authority.root,))
        entry = replace(store_chain(home, entry, chain, root), development=True)
    return ring.add(entry), entry


def _meant(ring: Keyring, name: str, state: State) -> str:
    exact = ring.find(name)
    if exact.name == name:
        return name
    fitting = [item.name for item in ring.entries if item.line == name and (item.state, state) in ALLOWED]
    if len(fitting) > 1:
        raise UsageError(f"{name!r} could mean several identities", hint="name one: " + ", ".join(fitting))
    return fitting[0] if fitting else exact.name


def _worn_out(entry: IdentityInfo, now: datetime) -> bool:
    return entry.development and entry.not_after is not None and now >= entry.not_after


def _for_successor(old: IdentityInfo, ring: Keyring, now: datetime) -> dict[str, str]:
    """The pointers of the next key: the same place, but a name of its own where the place has names."""
    options = dict(old.options)
    for name in ("label", "alias", "key"):
        if name in options:
            options[name] = keyring.new_name(ring, old.line, now).replace("@", "-").replace(".", "-")
    for name in ("id", "version"):
        options.pop(name, None)
    return options
