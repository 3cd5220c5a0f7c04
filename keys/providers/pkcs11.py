"""Keys in a PKCS#11 token (HSM, smart card, SoftHSM): the key never leaves it.

Options: ``module`` (path of the driver), ``token`` (its label), ``label`` or ``id`` (hex) of the key, ``pin`` (where the
PIN comes from). All openings of one token in a process share one session, because a PKCS#11 login belongs to the whole
process; the last to leave logs out. A session that the token lost is opened again once per call, if need be after the
driver was started again: one that talks to a service (a network HSM, p11-kit) does not notice that the service came back.
Starting it again ends all its sessions, so all calls into one driver take turns.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from keys.algorithms import Algorithm
from keys.providers.base import Key, KeyReference, missing_extra
from keys.providers.bounded import within
from tanba.errors import CredentialError, PassphraseRequired, ProviderUnavailable, UsageError

T = TypeVar("T")


@dataclass
class _Shared:
    """One session with one token; every use holds ``lock``."""

    session: Any
    pin_digest: bytes
    lock: threading.RLock
    """The driver's."""
    users: int = 0


_sessions: dict[tuple[str, str], _Shared] = {}
_drivers: dict[str, threading.RLock] = {}
_registry = threading.Lock()


class TokenKey:
    """A private key on a token."""

    def __init__(self, reference: KeyReference, pin: str, shared: _Shared) -> None:
        self._reference = reference
        self._pin = pin
        self._shared = shared
        self._private: tuple[Any, Any] | None = None
        """The session and the handle found in it; a new session needs a new handle."""

    def public_key_der(self) -> bytes:
        """SubjectPublicKeyInfo, read from the token's public key object."""
        return self._call(lambda: _public_key_der(self._find(_p11().ObjectClass.PUBLIC_KEY), self._reference.algorithm))

    def sign(self, data: bytes) -> bytes:
        """Hashed here, signed there. Raises :class:`ProviderUnavailable` or :class:`CredentialError`."""
        algorithm = self._reference.algorithm
        return self._call(lambda: _sign(self._private_key(), algorithm, data))

    def _private_key(self) -> Any:
        if self._private is None or self._private[0] is not self._shared.session:
            self._private = self._shared.session, self._find(_p11().ObjectClass.PRIVATE_KEY)
        return self._private[1]

    def _find(self, kind: Any) -> Any:
        p11 = _p11()
        options = self._reference.options
        wanted = {"label": options.get("label"), "id": bytes.fromhex(options["id"]) if options.get("id") else None}
        try:
            return self._shared.session.get_key(
                object_class=kind, **{name: value for name, value in wanted.items() if value is not None}
            )
        except p11.NoSuchKey as error:
            raise CredentialError(
                f"the token has no such {kind.name.lower().replace('_', ' ')}",
                code="tanba.keys.key_missing",
                hint="list what is there: pkcs11-tool --module MODULE --login --list-objects",
            ) from error
        except p11.MultipleObjectsReturned as error:
            raise CredentialError(
                "several keys on the token have this label", code="tanba.keys.key_ambiguous", hint="name it by id"
            ) from error

    def _call(self, work: Callable[[], T]) -> T:
        """One bounded call; a lost session (restart of the token service, fork) is opened again and tried once more."""

        def attempt() -> T:
            with self._shared.lock:
                try:
                    return work()
                except _lost():
                    with suppress(_p11().PKCS11Error):
                        self._shared.session.close()
                    self._shared.session = _login(self._reference, self._pin)
                    return work()

        return _typed(lambda: within(self._reference.seconds, "the token", attempt))


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`PassphraseRequired` (PIN), :class:`ProviderUnavailable` or :class:`CredentialError`."""
    pin = reference.secret("pin")
    if pin is None:
        raise PassphraseRequired("the token needs its PIN", hint="--option pin=env:NAME (or file:, keyring:, prompt)")
    place = (reference.option("module"), reference.option("token"))
    shared = _enter(place, reference, pin)
    try:
        yield TokenKey(reference, pin, shared)
    finally:
        _leave(place, shared)


def create_key(reference: KeyReference) -> None:
    """Generate a key pair on the token: sensitive, never extractable. Raises as :func:`open_key` does."""
    label = reference.option("label")
    with open_key(reference) as key:
        assert isinstance(key, TokenKey)
        shared = key._shared  # noqa: SLF001  # the same module

        def make() -> None:
            with shared.lock, _writable(reference) as session:
                _generate(session, reference.algorithm, label, bytes.fromhex(reference.options.get("id") or "01"))

        _typed(lambda: within(max(reference.seconds, 60.0), "the token", make))


def _enter(place: tuple[str, str], reference: KeyReference, pin: str) -> _Shared:
    digest = hashlib.sha256(pin.encode("utf-8")).digest()
    with _registry:
        shared = _sessions.get(place)
        if shared is None:
            session = _typed(lambda: within(reference.seconds, "the token", lambda: _login(reference, pin)))
            shared = _sessions[place] = _Shared(session, digest, _turn(reference))
        elif not hmac.compare_digest(shared.pin_digest, digest):
            raise PassphraseRequired("the PIN is not that of the open session with this token")
        shared.users += 1
    return shared


def _leave(place: tuple[str, str], shared: _Shared) -> None:
    with _registry:
        shared.users -= 1
        if shared.users == 0:
            _sessions.pop(place, None)
            with suppress(_p11().PKCS11Error):
                shared.session.close()


def _login(reference: KeyReference, pin: str) -> Any:
    """A new session. A token that was plugged in, or a service that was started, after the driver is only seen when the
    driver starts again.
    """
    library, name = _library(reference), reference.option("token")
    with _turn(reference):
        try:
            return library.get_token(token_label=name).open(user_pin=pin)
        except (_p11().NoSuchToken, *_lost()):
            library.reinitialize()
            return library.get_token(token_label=name).open(user_pin=pin)


def _turn(reference: KeyReference) -> threading.RLock:
    """The lock of the reference's driver."""
    return _drivers.setdefault(reference.option("module"), threading.RLock())


@contextmanager
def _writable(reference: KeyReference) -> Iterator[Any]:
    """A read-write session; the login of the shared one counts for it."""
    token = _library(reference).get_token(token_label=reference.option("token"))
    session = token.open(rw=True)
    try:
        yield session
    finally:
        session.close()


def _library(reference: KeyReference) -> Any:
    try:
        return _p11().lib(reference.option("module"))
    except (_p11().PKCS11Error, OSError, RuntimeError) as error:
        raise UsageError("the PKCS#11 driver cannot be loaded", hint="--option module=/path/to/driver.so") from error


def _p11() -> Any:
    try:
        import pkcs11
    except ImportError as error:
        raise missing_extra("pkcs11", error) from error
    return pkcs11


def _lost() -> tuple[type[Exception], ...]:
    """Errors after which a new session may help."""
    p11 = _p11()
    return (
        p11.SessionHandleInvalid, p11.SessionClosed, p11.UserNotLoggedIn, p11.DeviceError, p11.DeviceRemoved,
        p11.TokenNotPresent, p11.ObjectHandleInvalid, p11.KeyHandleInvalid, p11.GeneralError, p11.FunctionFailed,
    )  # fmt: skip


def _typed(call: Callable[[], T]) -> T:
    """The driver's errors in our words, with the driver's own as the cause."""
    p11 = _p11()
    try:
        return call()
    except (p11.PinIncorrect, p11.PinInvalid, p11.PinLenRange) as error:
        raise PassphraseRequired(
            "the token refuses the PIN", hint="a token locks itself after a few wrong PINs: check before trying again"
        ) from error
    except (p11.PinLocked, p11.PinExpired) as error:
        raise PassphraseRequired(
            "the token's PIN is locked or expired", hint="its security officer can reset it"
        ) from error
    except (p11.NoSuchToken, p11.TokenNotPresent, p11.TokenNotRecognised) as error:
        raise ProviderUnavailable("the token is not there", hint="is it plugged in, and its label right?") from error
    except (p11.MechanismInvalid, p11.MechanismParamInvalid, p11.KeyTypeInconsistent) as error:
        raise CredentialError(
            "the token cannot sign with this algorithm", code="tanba.keys.algorithm", hint="use another one"
        ) from error
    except p11.PKCS11Error as error:
        raise ProviderUnavailable(
            f"the token failed ({type(error).__name__})", hint="is its service running?"
        ) from error


def _sign(key: Any, algorithm: Algorithm, data: bytes) -> bytes:
    p11 = _p11()
    if algorithm.family == "ed25519":
        return bytes(key.sign(data, mechanism=p11.Mechanism.EDDSA))
    assert algorithm.hash_name is not None
    digest = hashlib.new(algorithm.hash_name, data).digest()
    if algorithm.family == "ecdsa":
        return bytes(key.sign(digest, mechanism=p11.Mechanism.ECDSA))
    name = algorithm.hash_name.upper()
    parameters = (getattr(p11.Mechanism, name), getattr(p11.MGF, name), len(digest))
    return bytes(key.sign(digest, mechanism=p11.Mechanism.RSA_PKCS_PSS, mechanism_param=parameters))


def _generate(session: Any, algorithm: Algorithm, label: str, identifier: bytes) -> None:
    p11 = _p11()
    attribute = p11.Attribute
    common = {"store": True, "label": label, "id": identifier}
    private = {attribute.SENSITIVE: True, attribute.EXTRACTABLE: False}
    if algorithm.family == "rsa-pss":
        session.generate_keypair(p11.KeyType.RSA, algorithm.bits, private_template=private, **common)
        return
    kind = p11.KeyType.EC if algorithm.family == "ecdsa" else p11.KeyType.EC_EDWARDS
    curve = algorithm.curve or "1.3.101.112"
    named = p11.util.ec.encode_named_curve_parameters(curve) if algorithm.curve else _edwards()
    parameters = session.create_domain_parameters(kind, {attribute.EC_PARAMS: named}, local=True)
    parameters.generate_keypair(private_template=private, **common)


def _edwards() -> bytes:
    """``edwards25519`` as a printable string, the form of PKCS#11 3.0 section 2.3.10 that drivers share."""
    from asn1crypto import core

    return bytes(core.PrintableString("edwards25519").dump())


def _public_key_der(key: Any, algorithm: Algorithm) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    from keys.certificates import spki

    attribute = _p11().Attribute
    if algorithm.family == "rsa-pss":
        exponent = int.from_bytes(key[attribute.PUBLIC_EXPONENT], "big")
        return spki(rsa.RSAPublicNumbers(exponent, int.from_bytes(key[attribute.MODULUS], "big")).public_key())
    if algorithm.family == "ed25519":
        return spki(ed25519.Ed25519PublicKey.from_public_bytes(bytes(key[attribute.EC_POINT])[-32:]))
    return bytes(_p11().util.ec.encode_ec_public_key(key))
