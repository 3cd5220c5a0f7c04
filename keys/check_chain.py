"""The pre-flight's rules for the chain: its order, its links, and the authorities in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from keys import certificates
from keys.faults import Fault, Weight, fault

if TYPE_CHECKING:
    from cryptography import x509


def faults(given: Sequence[x509.Certificate], ordered: Sequence[x509.Certificate], now: datetime) -> Iterator[Fault]:
    """``given`` is the file's order, ``ordered`` leaf first."""
    if list(given) != list(ordered):
        yield fault(
            "wrong_order", Weight.ERROR, "the certificates are in the wrong order",
            "put the signing certificate first, then each one's issuer; `tanba keys install` and `import` do it",
        )  # fmt: skip
    if len(set(given)) != len(given):
        yield fault("twice", Weight.WARNING, "a certificate is there twice", "remove the copy")
    leaf = ordered[0]
    if certificates.self_issued(leaf):
        yield fault(
            "self_signed", Weight.WARNING, "the signing certificate is self-signed",
            "only a reader who adds this very certificate to the trusted ones believes it; get one from a CA",
        )  # fmt: skip
    elif len(ordered) == 1:
        yield fault(
            "no_intermediate", Weight.WARNING, "there is only the signing certificate, without its issuer",
            "add the CA's intermediate certificates; otherwise only readers who have them as anchors find the root",
        )  # fmt: skip
    yield from _links(ordered)
    yield from _authorities(ordered, now)


def _links(chain: Sequence[x509.Certificate]) -> Iterator[Fault]:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    for below, above in pairwise(chain):
        if below.issuer != above.subject:
            yield fault(
                "unrelated", Weight.ERROR,
                f"{_title(above)} did not issue {_title(below)}", "remove what does not belong to the chain",
            )  # fmt: skip
            return
        try:
            below.verify_directly_issued_by(above)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            yield fault(
                "bad_link", Weight.ERROR,
                f"{_title(below)} is not signed by the key of {_title(above)}, though the names match",
                "ask the CA for the chain of this very certificate",
            )  # fmt: skip


def _authorities(chain: Sequence[x509.Certificate], now: datetime) -> Iterator[Fault]:
    from cryptography import x509

    for depth, item in enumerate(chain[1:]):
        try:
            constraints = item.extensions.get_extension_for_class(x509.BasicConstraints).value
        except x509.ExtensionNotFound:
            constraints = None
        if constraints is None or not constraints.ca:
            yield fault(
                "not_an_authority", Weight.ERROR, f"{_title(item)} may not issue certificates",
                "remove what does not belong to the chain",
            )  # fmt: skip
        elif constraints.path_length is not None and depth > constraints.path_length:
            yield fault(
                "path_length", Weight.ERROR, f"{_title(item)} allows fewer authorities below it than there are",
                "ask the CA for the right chain",
            )  # fmt: skip
        if not item.not_valid_before_utc <= now < item.not_valid_after_utc:
            yield fault(
                "authority_expired", Weight.ERROR, f"{_title(item)} is outside its validity",
                "ask the CA for its current intermediate",
            )  # fmt: skip
        elif item.not_valid_after_utc < chain[0].not_valid_after_utc:
            yield fault(
                "outlives_issuer", Weight.WARNING,
                f"{_title(item)} ends on {item.not_valid_after_utc.date()}, before the signing certificate",
                "labels need a time stamp from before that day to stay valid",
            )  # fmt: skip
    if any(certificates.self_issued(item) for item in chain[1:]):
        yield fault(
            "root_included", Weight.NOTE, "the chain includes its root",
            "harmless; it makes every label a little larger and proves nothing, so Tanba leaves it out",
        )  # fmt: skip


def _title(certificate: x509.Certificate) -> str:
    return f"“{certificates.common_name(certificate) or certificate.subject.rfc4514_string()[:60]}”"
