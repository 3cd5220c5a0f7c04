"""Writing PBES2 with scrypt and AES-256-CBC (RFC 8018 appendix A.4, RFC 7914 section 7): the ASN.1 and nothing else."""

from __future__ import annotations

import os
from typing import cast

from asn1crypto import core, pem
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from cryptography.hazmat.primitives.padding import PKCS7

_PBES2 = "1.2.840.113549.1.5.13"
_SCRYPT = "1.3.6.1.4.1.11591.4.11"
_AES256_CBC = "2.16.840.1.101.3.4.1.42"
_BLOCK_SIZE, _PARALLEL = 8, 1


class _ScryptParams(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [  # noqa: RUF012  # how the library declares a structure
        ("salt", core.OctetString),
        ("cost", core.Integer),
        ("block_size", core.Integer),
        ("parallelization", core.Integer),
    ]


class _Kdf(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", _ScryptParams)]  # noqa: RUF012  # as above


class _Cipher(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("algorithm", core.ObjectIdentifier), ("iv", core.OctetString)]  # noqa: RUF012  # as above


class _Pbes2(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("kdf", _Kdf), ("cipher", _Cipher)]  # noqa: RUF012  # as above


class _Scheme(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("algorithm", core.ObjectIdentifier), ("parameters", _Pbes2)]  # noqa: RUF012  # as above


class _Sealed(core.Sequence):  # type: ignore[misc]  # asn1crypto is untyped
    _fields = [("scheme", _Scheme), ("data", core.OctetString)]  # noqa: RUF012  # as above


def seal(private_key_info: bytes, passphrase: bytes, cost: int) -> bytes:
    """EncryptedPrivateKeyInfo as PEM. ``cost`` is scrypt's N; memory use is ``1024 * cost`` bytes."""
    salt, initial = os.urandom(16), os.urandom(16)
    secret = Scrypt(salt=salt, length=32, n=cost, r=_BLOCK_SIZE, p=_PARALLEL).derive(passphrase)
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(secret), modes.CBC(initial)).encryptor()
    data = cipher.update(padder.update(private_key_info) + padder.finalize()) + cipher.finalize()
    scrypt = {"salt": salt, "cost": cost, "block_size": _BLOCK_SIZE, "parallelization": _PARALLEL}
    parameters = {
        "kdf": {"algorithm": _SCRYPT, "parameters": scrypt},
        "cipher": {"algorithm": _AES256_CBC, "iv": initial},
    }
    sealed = _Sealed({"scheme": {"algorithm": _PBES2, "parameters": parameters}, "data": data})
    return cast(bytes, pem.armor("ENCRYPTED PRIVATE KEY", sealed.dump()))
