"""Keys in AWS KMS. Options: ``key`` (id, ARN or ``alias/…``), ``region``, perhaps ``endpoint`` and ``profile``.

Credentials are AWS's own business (environment, profile, instance role): none stands in the keyring. The hash is made
here and only the hash is sent, because a claim may be longer than the 4,096 bytes that KMS takes as a message;
``message=raw`` sends the claim itself, which Ed25519 needs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from keys.algorithms import Algorithm
from keys.providers.base import Key, KeyReference, missing_extra
from keys.providers.bounded import slow
from tanba.errors import CredentialError, ProviderUnavailable

T = TypeVar("T")
RAW_LIMIT = 4096
_ALGORITHMS = {
    "es256": ("ECC_NIST_P256", "ECDSA_SHA_256"),
    "es384": ("ECC_NIST_P384", "ECDSA_SHA_384"),
    "es512": ("ECC_NIST_P521", "ECDSA_SHA_512"),
    "ps256": ("RSA_2048", "RSASSA_PSS_SHA_256"),
    "ps384": ("RSA_3072", "RSASSA_PSS_SHA_384"),
    "ps512": ("RSA_4096", "RSASSA_PSS_SHA_512"),
    "ed25519": ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
}


class KmsKey:
    """A private key in KMS."""

    def __init__(self, client: Any, reference: KeyReference) -> None:
        self._client = client
        self._reference = reference
        self._id = reference.option("key")

    def public_key_der(self) -> bytes:
        answer = _typed(lambda: self._client.get_public_key(KeyId=self._id), self._reference.seconds)
        return bytes(answer["PublicKey"])

    def sign(self, data: bytes) -> bytes:
        """DER for ECDSA; the caller turns it into ``r || s``."""
        algorithm = self._reference.algorithm
        message, kind = self._message(data, algorithm)
        answer = _typed(
            lambda: self._client.sign(
                KeyId=self._id, Message=message, MessageType=kind, SigningAlgorithm=_ALGORITHMS[algorithm.name][1]
            ),
            self._reference.seconds,
        )
        return bytes(answer["Signature"])

    def _message(self, data: bytes, algorithm: Algorithm) -> tuple[bytes, str]:
        raw = self._reference.options.get("message", "digest") == "raw" or algorithm.hash_name is None
        if not raw:
            assert algorithm.hash_name is not None
            return hashlib.new(algorithm.hash_name, data).digest(), "DIGEST"
        if len(data) > RAW_LIMIT:
            raise CredentialError(
                f"this claim has {len(data)} bytes, and KMS signs at most {RAW_LIMIT} as a message",
                code="tanba.keys.claim_too_long",
                hint="use an ECDSA or RSA key with message=digest",
            )
        return data, "RAW"


@contextmanager
def open_key(reference: KeyReference) -> Iterator[Key]:
    """Raises :class:`ProviderUnavailable`, :class:`CredentialError` or :class:`InstallationError`."""
    client = _client(reference)
    try:
        yield KmsKey(client, reference)
    finally:
        client.close()


def create_key(reference: KeyReference) -> None:
    """Make a signing key in KMS and give it the alias that ``key`` names. Raises as :func:`open_key` does."""
    alias = reference.option("key")
    if not alias.startswith("alias/"):
        raise CredentialError(
            "a new KMS key needs an alias as its name", code="tanba.keys.key_missing", hint="--option key=alias/NAME"
        )
    client = _client(reference)
    try:
        spec = _ALGORITHMS[reference.algorithm.name][0]
        made = _typed(lambda: client.create_key(KeySpec=spec, KeyUsage="SIGN_VERIFY"), reference.seconds)
        identifier = made["KeyMetadata"]["KeyId"]
        _typed(lambda: client.create_alias(AliasName=alias, TargetKeyId=identifier), reference.seconds)
    finally:
        client.close()


def _client(reference: KeyReference) -> Any:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise missing_extra("kms-aws", error) from error
    attempts = 2
    each = max(0.2, reference.seconds / attempts / 2)
    config = Config(connect_timeout=min(2.0, each), read_timeout=each, retries={"total_max_attempts": attempts})
    options = reference.options
    try:
        session = boto3.Session(profile_name=options.get("profile"), region_name=options.get("region"))
        return session.client("kms", endpoint_url=options.get("endpoint"), config=config)
    except BotoCoreError as error:
        raise ProviderUnavailable(
            f"AWS KMS cannot be used: {type(error).__name__}", hint="name a region and give AWS credentials"
        ) from error


def _typed(call: Callable[[], T], seconds: float) -> T:
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, ReadTimeoutError

    try:
        return call()
    except (ConnectTimeoutError, ReadTimeoutError) as error:
        raise slow("AWS KMS", seconds) from error
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in {"NotFoundException", "DisabledException", "KMSInvalidStateException", "InvalidKeyUsageException"}:
            raise CredentialError(
                f"AWS KMS has no usable key of that name ({code})", code="tanba.keys.key_missing",
                hint="check key, region and account",
            ) from error  # fmt: skip
        raise ProviderUnavailable(
            f"AWS KMS refused: {code or 'unknown error'}", hint="check policy and quota"
        ) from error
    except BotoCoreError as error:
        raise ProviderUnavailable(
            f"AWS KMS cannot be reached: {type(error).__name__}", hint="try again later"
        ) from error
