"""Every status code Tanba knows: what bucket it belongs to, which clause defines it, which advice goes with it.

C2PA and CAWG codes are verbatim. Codes of ours are ``tanba.<area>.<what>``: those that a report can hold are listed one by
one, those of errors belong to a listed area, because an error carries its own message and hint. Explanations in the
reader's language stand in ``tanba/locales/*/code.ftl`` under :func:`text_key`.

A code is never looked up to decide anything: buckets in a report come from the engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

C2PA = "C2PA 2.4"
CAWG = "CAWG Identity 1.2"


@dataclass(frozen=True, slots=True)
class Code:
    """One code of the catalogue."""

    code: str
    bucket: str
    """``success``, ``informational`` or ``failure``: where the code usually stands (C2PA 2.4 section 15.2)."""
    clause: str
    """The clause that defines or requires it; ``Tanba`` for our own."""
    advice: str
    """Which ``advice-code-…`` sentence says what to do."""


_STANDARD: tuple[tuple[str, str, str, str], ...] = (
    ("15.4", "informational", "nothing", "algorithm.deprecated"),
    ("15.4", "failure", "producer", "algorithm.unsupported"),
    ("15.5", "failure", "remote", "manifest.inaccessible"),
    ("15.5", "failure", "original", "manifest.missing manifest.compressed.invalid"),
    ("15.5", "informational", "nothing", "manifest.unknownProvenance manifest.unreferenced"),
    ("15.6", "failure", "producer", "claim.missing claim.multiple claim.malformed claim.cbor.invalid"),
    ("15.7", "success", "nothing", "claimSignature.validated signingCredential.trusted"),
    ("15.7", "failure", "original", "claimSignature.missing claimSignature.mismatch"),
    ("15.7", "failure", "trust", "signingCredential.untrusted"),
    ("15.7", "failure", "signer", "signingCredential.invalid"),
    ("15.8", "success", "nothing", "claimSignature.insideValidity timeStamp.validated timeStamp.trusted"),
    ("15.8", "failure", "time", "claimSignature.outsideValidity signingCredential.expired"),
    ("15.8", "informational", "tsa", "timeStamp.untrusted"),
    ("15.8", "informational", "stamp", ("timeStamp.mismatch timeStamp.malformed timeStamp.outsideValidity"
     " timeStamp.credentialInvalid")),
    ("15.8.3", "informational", "nothing", "timeOfSigning.insideValidity"),
    ("15.8.3", "informational", "stamp", "timeOfSigning.outsideValidity"),
    ("15.9", "success", "nothing", "signingCredential.ocsp.notRevoked"),
    ("15.9", "failure", "revoked", "signingCredential.ocsp.revoked signingCredential.revoked"),
    ("15.9", "informational", "network", ("signingCredential.ocsp.skipped signingCredential.ocsp.inaccessible"
     " signingCredential.ocsp.unknown")),
    ("15.10.1", "failure", "producer", ("claim.hardBindings.missing assertion.multipleHardBindings"
     " manifest.multipleParents manifest.update.invalid manifest.update.wrongParents manifest.timestamp.invalid"
     " manifest.timestamp.wrongParents")),
    ("15.10.3.1", "success", "nothing", "assertion.hashedURI.match assertion.accessible"),
    ("15.10.3.1", "failure", "original", ("assertion.missing assertion.hashedURI.mismatch hashedURI.missing"
     " hashedURI.mismatch")),
    ("15.10.3.1", "failure", "producer", ("assertion.outsideManifest assertion.undeclared assertion.selfRedacted"
     " assertion.action.redacted assertion.cbor.invalid assertion.json.invalid assertion.hardBinding.redacted"
     " assertion.inaccessible assertion.required.missing assertion.invalid")),
    ("15.10.3.2", "failure", "producer", ("assertion.action.malformed assertion.action.missing"
     " assertion.action.ingredientMismatch assertion.action.redactionMismatch assertion.action.softBindingMissing"
     " assertion.cloud-data.actions assertion.cloud-data.hardBinding assertion.cloud-data.labelMismatch"
     " assertion.cloud-data.malformed assertion.external-reference.actions assertion.external-reference.created"
     " assertion.external-reference.hardBinding assertion.external-reference.malformed"
     " assertion.timestamp.malformed")),
    ("15.11", "success", "nothing", "ingredient.manifest.validated ingredient.claimSignature.validated"),
    ("15.11", "informational", "history", "ingredient.unknownProvenance"),
    ("15.11", "failure", "history", ("ingredient.manifest.missing ingredient.manifest.mismatch"
     " ingredient.claimSignature.missing ingredient.claimSignature.mismatch ingredient.hashedURI.mismatch"
     " assertion.ingredient.malformed assertion.notRedacted")),
    ("15.12", "success", "nothing", ("assertion.dataHash.match assertion.bmffHash.match assertion.boxesHash.match"
     " assertion.collectionHash.match assertion.multiAssetHash.match"
     " assertion.alternativeContentRepresentation.match")),
    ("15.12", "informational", "nothing", ("assertion.dataHash.additionalExclusionsPresent"
     " assertion.bmffHash.additionalExclusionsPresent assertion.boxesHash.additionalExclusionsPresent")),
    ("15.12", "failure", "original", ("assertion.dataHash.mismatch assertion.bmffHash.mismatch assertion.boxesHash.mismatch"
     " assertion.boxesHash.unknownBox assertion.collectionHash.mismatch assertion.collectionHash.incorrectFileCount"
     " assertion.multiAssetHash.mismatch assertion.multiAssetHash.missingPart"
     " assertion.alternativeContentRepresentation.hashMismatch"
     " assertion.alternativeContentRepresentation.missing")),
    ("15.12", "failure", "producer", ("assertion.dataHash.malformed assertion.bmffHash.malformed"
     " assertion.boxesHash.malformed assertion.collectionHash.malformed assertion.collectionHash.invalidURI"
     " assertion.multiAssetHash.malformed assertion.alternativeContentRepresentation.malformed")),
    ("A.7", "failure", "producer", "manifest.html.multipleManifests"),
    ("A.8", "failure", "text", "manifest.text.corruptedWrapper manifest.text.multipleWrappers"),
    ("A.9.5", "failure", "text", ("manifest.structuredText.noManifest manifest.structuredText.multipleReferences"
     " manifest.structuredText.emptyReference manifest.structuredText.malformedReference"
     " manifest.structuredText.noResolutionPath")),
    ("15.2", "failure", "original", "general.error"),
)  # fmt: skip
"""Clause of C2PA 2.4, usual bucket, advice, codes."""

_IDENTITY: tuple[tuple[str, str, str, str], ...] = (
    ("7.2", "success", "nothing", "cawg.identity.trusted cawg.identity.well-formed"),
    ("7.2", "failure", "identity", ("cawg.identity.cbor.invalid cawg.identity.assertion.mismatch"
     " cawg.identity.assertion.duplicate cawg.identity.credential_revoked cawg.identity.hard_binding_missing"
     " cawg.identity.hard_binding_incorrect cawg.identity.sig_type.unknown cawg.identity.pad.invalid"
     " cawg.identity.expected_partial_claim.mismatch cawg.identity.expected_claim_generator.mismatch"
     " cawg.identity.unexpected_countersigner cawg.identity.expected_countersigner.mismatch"
     " cawg.identity.expected_countersigner.missing")),
    ("8.1", "success", "nothing", "cawg.ica.credential_valid cawg.ica.time_stamp.validated"),
    ("8.1", "informational", "identity", ("cawg.identity.network_traffic_blocked cawg.ica.credential.not_revoked"
     " cawg.ica.revocation.unavailable"
     " cawg.ica.revocation.unsupported cawg.ica.did_unavailable")),
    ("8.1", "failure", "identity", ("cawg.ica.invalid_cose_sign1 cawg.ica.invalid_alg cawg.ica.invalid_content_type"
     " cawg.ica.invalid_verifiable_credential cawg.ica.invalid_issuer cawg.ica.did_unsupported_method"
     " cawg.ica.invalid_did_document cawg.ica.untrusted_issuer cawg.ica.signature_mismatch"
     " cawg.ica.time_stamp.invalid cawg.ica.valid_from.missing cawg.ica.valid_from.invalid"
     " cawg.ica.valid_until.invalid cawg.ica.signer_payload.mismatch cawg.ica.credential.revoked"
     " cawg.ica.verified_identities.missing cawg.ica.verified_identities.invalid")),
    ("8.2", "success", "nothing", ("cawg.x509.credential.trusted cawg.x509.signature.validated"
     " cawg.x509.signature.inside_validity cawg.x509.time_stamp.trusted cawg.x509.time_stamp.validated"
     " cawg.x509.time_of_signing.inside_validity cawg.x509.ocsp.not_revoked")),
    ("8.2", "informational", "identity", ("cawg.x509.ocsp.skipped cawg.x509.ocsp.unknown cawg.x509.ocsp.inaccessible"
     " cawg.x509.time_stamp.untrusted cawg.x509.time_stamp.mismatch cawg.x509.time_stamp.malformed"
     " cawg.x509.time_stamp.outside_validity cawg.x509.time_stamp.credential_invalid"
     " cawg.x509.time_of_signing.outside_validity")),
    ("8.2", "failure", "identity", ("cawg.x509.credential.untrusted cawg.x509.credential.invalid"
     " cawg.x509.signature.mismatch cawg.x509.signature.outside_validity cawg.x509.algorithm.unsupported"
     " cawg.x509.ocsp.revoked")),
)  # fmt: skip
"""The same for the CAWG identity assertion."""

_OWN: tuple[tuple[str, str, str], ...] = (
    ("informational", "remote", "c2pa.remote_only"),
    ("informational", "fragments", "c2pa.needs_fragments"),
    ("informational", "alone", "c2pa.manifest_alone"),
    ("informational", "original", "c2pa.unsupported c2pa.unreadable limit.exceeded"),
    ("failure", "original", "c2pa.store_unreadable"),
    ("informational", "disagree", "coherence.layers_disagree iptc.several_values"),
    ("failure", "stamp", "time.future_timestamp"),
    ("informational", "stamp", "time.signing_time_differs time.timestamp_refused time.rests_on_claim"),
    ("informational", "nothing", "time.as_of time.signed_after_as_of revocation.revoked_later"),
    ("informational", "tsa", "time.legacy_authority time.authority_unknown trust.no_tsa_list"),
    ("informational", "time", (
        "time.expired_unknown_when time.signed_outside_validity "
        "time.expired_without_timestamp time.not_yet_valid"
    )),
    ("informational", "network", (
        "revocation.not_asked revocation.no_issuer revocation.staple_unusable "
        "revocation.no_address revocation.unreachable"
    )),
    ("success", "nothing", "revocation.not_on_crl"),
    ("failure", "revoked", "revocation.revoked"),
    ("informational", "lists", "trust.no_lists trust.list_frozen trust.list_old trust.list_undated trust.wrong_purpose trust.wrong_usage"),
    ("informational", "issuer", "label.withdrawn label.ingredient_withdrawn"),
    ("informational", "service", "label.status_unknown"),
    ("informational", "nothing", "signer.self_signed"),
    ("failure", "text", "text.several_carriers"),
    ("informational", "text", (
        "text.mark_without_prefix text.restored text.changed "
        "text.sections_none text.sections_unchanged text.mark_encoded text.not_utf8 "
        "text.paste_may_lose_mark text.mark_moved text.mark_removed "
        "text.normalisation_changed text.line_ends_changed text.white_space_added "
        "text.white_space_trimmed text.entities_escaped text.entities_unescaped "
        "text.quotes_changed text.rewrapped text.quoted_in_mail text.spaces_changed text.rendered"
    )),
    ("informational", "publisher", (
        "iptc.bare_term iptc.unknown_term aigc.malformed aigc.departs aigc.duplicate "
        "metadata.malformed metadata.unread"
    )),
)  # fmt: skip
"""Bucket, advice, codes without their ``tanba.``."""

AREAS: tuple[str, ...] = (
    "aigc", "auth", "c2pa", "case", "certificate", "check", "coherence", "conformance", "db", "engine", "http",
    "idempotency", "input", "installation", "iptc", "job", "jobs", "jumbf", "keys", "label", "ledger", "limit",
    "log", "metadata", "network", "policy", "profile", "rate", "recovery", "report", "resolver",
    "revocation", "service", "storage", "text", "time", "timestamp", "trust", "tsa", "verification", "visible",
    "watermark", "webhook",
)  # fmt: skip
"""Areas of our own codes. Each has an ``area-…`` sentence that explains a code without a sentence of its own."""


def _build() -> Iterator[Code]:
    for standard, rows in ((C2PA, _STANDARD), (CAWG, _IDENTITY)):
        for clause_number, bucket, advice, codes in rows:
            yield from (Code(code, bucket, f"{standard} §{clause_number}", advice) for code in codes.split())
    for bucket, advice, codes in _OWN:
        yield from (Code(f"tanba.{code}", bucket, "Tanba", advice) for code in codes.split())


CATALOGUE: Mapping[str, Code] = {item.code: item for item in _build()}
"""Every listed code."""


def find(code: str) -> Code | None:
    """The entry of a code, or None when the catalogue does not list it."""
    return CATALOGUE.get(code)


def clause(code: str) -> str | None:
    """The clause behind a code, or None for codes that nobody listed."""
    found = CATALOGUE.get(code)
    return found.clause if found else None


def area(code: str) -> str | None:
    """The area of one of our own codes, or None for anything else."""
    parts = code.split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "tanba" and parts[1] in AREAS else None


def is_known(code: str) -> bool:
    """Whether a code is listed, or is an error code of a listed area of ours."""
    return code in CATALOGUE or area(code) is not None


def text_key(code: str) -> str:
    """The catalogue key of a code's explanation (Fluent identifiers have no dots)."""
    return "code-" + code.replace(".", "-")
