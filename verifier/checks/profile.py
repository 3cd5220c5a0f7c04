"""Where the engine's certificate profile is stricter than the specification's, the specification's counts.

C2PA 2.4 section 14.5.1 asks for an Authority Key Identifier in any certificate *that is not self-signed*. c2pa-rs asks
for it always and calls a self-signed signer ``signingCredential.invalid`` (deviation D15); the other validators we know
read such a label as valid with an unknown signer. Nothing else of the profile is relaxed here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from tanba import jumbf
from tanba.engine.read import Evidence
from tanba.errors import MalformedAsset
from tanba.report import Bucket, Finding, Layer
from tanba.trust import TrustStore

_INVALID = "signingCredential.invalid"
_UNTRUSTED = "signingCredential.untrusted"


def correct(evidence: Evidence, trust: TrustStore, now: datetime) -> Evidence:
    """The evidence with that one failure exchanged for a remark, and the state that follows without it."""
    if _INVALID not in evidence.codes_in(Bucket.FAILURE) or not _only_misses_a_key_identifier(evidence, trust, now):
        return evidence
    remark = Finding(
        "tanba.signer.self_signed",
        Bucket.INFORMATIONAL,
        Layer.TANBA,
        text="the engine asks self-signed certificates for an Authority Key Identifier; C2PA 2.4 section 14.5.1 does not",
    )
    kept = [item for item in evidence.codes if item.code != _INVALID or "ingredient" in item.params]
    return replace(evidence, codes=(*kept, remark), state=_state(kept))


def _state(found: list[Finding]) -> str:
    """The validation state of C2PA 2.4 section 14.3 from the codes that remain."""
    failures = {item.code for item in found if item.bucket is Bucket.FAILURE}
    if failures - {_UNTRUSTED}:
        return "Invalid"
    trusted = any(item.code == "signingCredential.trusted" for item in found)
    return "Trusted" if trusted and not failures else "Valid"


def _only_misses_a_key_identifier(evidence: Evidence, trust: TrustStore, now: datetime) -> bool:
    """The leaf is self-signed, has no Authority Key Identifier, and otherwise meets the profile."""
    from cryptography.x509 import AuthorityKeyIdentifier, ExtensionNotFound

    from tanba import x509

    try:
        chain = x509.load_chain(jumbf.cose(evidence.store or b"", evidence.active).x5chain)
        leaf = chain[0]
    except (MalformedAsset, IndexError):
        return False
    if not x509.issued_by(leaf, leaf):
        return False
    try:
        leaf.extensions.get_extension_for_class(AuthorityKeyIdentifier)
    except ExtensionNotFound:
        # With no list to lead to, a leaf that meets the profile ends at "no_path"; any other reason is a fault of its own.
        return x509.find_path(chain, (), now, accepted_ekus=trust.ekus).reason == "no_path"
    except ValueError:
        return False
    return False
