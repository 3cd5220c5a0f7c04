"""The development authority: a root, an issuing certificate and what they certify, all on this machine.

Its labels read ``trusted`` here, because its root is put into the user's own trust lists, and ``valid`` everywhere
else. The root's private key is thrown away as soon as it has certified the issuing key: nobody can add a second
authority below a root that somebody decided to trust.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from keys import algorithms, certificates, files, issuing, pkcs8
from tanba.errors import CredentialError

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificateIssuerPrivateKeyTypes,
        CertificatePublicKeyTypes,
    )

TRUST_LIST = "tanba-development"
"""The trust list under which this machine knows its own root."""
ORGANIZATION = "Tanba development (not real)"
"""Names are short on purpose: a chain says them four times, and in the mark of a text every letter weighs four bytes."""
ROOT_DAYS, ISSUING_DAYS, LEAF_DAYS = 3650, 1825, 366
_FOLDER = "authority"


@dataclass(frozen=True, slots=True)
class Authority:
    """The issuing side of one home."""

    root: x509.Certificate
    intermediate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes

    def certify(
        self,
        public_key_der: bytes,
        *,
        common_name: str,
        organization: str,
        now: datetime,
        days: float = LEAF_DAYS,
        ekus: tuple[str, ...] = issuing.CLAIM_EKUS,
        ocsp_url: str | None = None,
    ) -> tuple[x509.Certificate, ...]:
        """A leaf for a public key, followed by the issuing certificate (no root)."""
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        request = issuing.Request(common_name, organization, days, ekus=ekus, ocsp_url=ocsp_url)
        leaf = issuing.issue(
            request,
            cast("CertificatePublicKeyTypes", load_der_public_key(public_key_der)),
            self.intermediate.subject,
            self.key,
            now,
            not_after=self.intermediate.not_valid_after_utc,
        )
        return leaf, self.intermediate


def authority(home: Path, now: datetime) -> Authority:
    """The home's authority; made on first use, and again when its issuing certificate has a year or less to live.

    Call it with the keyring's lock held. Raises :class:`CredentialError`, :class:`StorageError`.
    """
    folder = home / _FOLDER
    if (folder / "issuing.key").is_file():
        found = _load(folder)
        if found.intermediate.not_valid_after_utc - now > timedelta(days=LEAF_DAYS):
            return found
    return _make(folder, now)


def existing(home: Path) -> Authority | None:
    """The authority, if this home has one."""
    folder = home / _FOLDER
    return _load(folder) if (folder / "issuing.key").is_file() else None


def roots_pem(home: Path) -> str:
    """Every root this home ever made: labels of an earlier one must stay verifiable."""
    folder = home / _FOLDER
    return "".join(path.read_text("ascii") for path in sorted(folder.glob("root*.pem")))


def trust(home: Path, trust_dir: Path, now: datetime) -> None:
    """Put the roots into the user's trust lists. Raises :class:`tanba.errors.TrustError`."""
    from tanba import trustdir
    from tanba.trust import Purpose, TrustList

    item = TrustList(
        name=TRUST_LIST,
        purpose=Purpose.MANIFEST,
        anchors_pem=roots_pem(home),
        source="made on this machine by `tanba keys`; nobody else knows it",
        date=now.date().isoformat(),
    )
    trustdir.add(trust_dir, item, now=now, overwrite=True)


def _make(folder: Path, now: datetime) -> Authority:
    files.private_directory(folder)
    mark = secrets.token_hex(3)
    algorithm = algorithms.get("es256")
    root_key = cast("CertificateIssuerPrivateKeyTypes", algorithms.generate(algorithm))
    key = cast("CertificateIssuerPrivateKeyTypes", algorithms.generate(algorithm))
    root_request = issuing.Request(f"Development root {mark}", ORGANIZATION, ROOT_DAYS, ca=True)
    name = issuing.subject(root_request.common_name, root_request.organization)
    root = issuing.issue(root_request, root_key.public_key(), name, root_key, now)
    request = issuing.Request(f"Development issuing {mark}", ORGANIZATION, ISSUING_DAYS, ca=True, path_length=0)
    intermediate = issuing.issue(request, key.public_key(), root.subject, root_key, now)
    files.write(folder / f"root-{mark}.pem", certificates.dump_chain((root,)), mode=0o644)
    files.write(folder / "chain.pem", certificates.dump_chain((intermediate, root)), mode=0o644)
    files.write(folder / "issuing.key", pkcs8.dump(key, None))
    return Authority(root, intermediate, key)


def _load(folder: Path) -> Authority:
    chain = certificates.load_chain(files.read(folder / "chain.pem"))
    key = pkcs8.load(files.read(folder / "issuing.key", secret=True), None)
    if len(chain) != 2 or certificates.spki(chain[0].public_key()) != certificates.spki(key.public_key()):
        raise CredentialError(
            "the development authority is damaged",
            code="tanba.keys.authority_damaged",
            hint="remove the folder `authority` in the keys folder; a new one is made on the next use",
        )
    return Authority(chain[1], chain[0], cast("CertificateIssuerPrivateKeyTypes", key))


def utc_now() -> datetime:
    """The default clock: UTC, whole seconds (certificates know no fractions)."""
    return datetime.now(UTC).replace(microsecond=0)
