"""When was it signed, what does that rest on, and how does it look as of another moment?

The engine has no validation time, so validity and trust are evaluated again here when another moment is asked for, with
the lists at hand; integrity stays the engine's answer. The rules:

    1. A token counts when the engine found it intact *and* somebody the user chose vouches for its authority.
    2. A token from the future is refused (C2PA 2.4 section 15.8; more than :data:`SKEW` ahead of the clock).
    3. ``genTime`` is the time of a token. The engine lets the CMS signing-time attribute override it; where the two
       differ, the engine's evaluation is replaced by ours.
    4. Without a token that counts, the signer's certificate must be valid at the moment asked for, and the signer's own
       words are shown as what they are: a claim.
    5. Expired without a time stamp is a plain sentence of its own. It is no sign of forgery.

Ingredients keep the results that were recorded for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from tanba import jumbf
from tanba.engine.read import Evidence, EvidenceStatus
from tanba.errors import MalformedAsset, TanbaError
from tanba.report import Bucket, Finding, Layer, SignerAnswer, SignerState, TimeAnswer, TimeState
from tanba.timestamps import TIME_STAMPING, Token, read_token
from tanba.trust import Purpose, TrustList, TrustStore
from tanba.wire import rfc3339
from verifier.checks.signer import crjson_signature, moment

SKEW = timedelta(minutes=5)
"""Clocks may differ by this much before a time stamp counts as being from the future."""
TIME_CODES = (
    "signingCredential.trusted",
    "signingCredential.untrusted",
    "signingCredential.expired",
    "claimSignature.insideValidity",
    "claimSignature.outsideValidity",
)
"""Codes of the engine that depend on the moment of validation (C2PA 2.4 section 15.2)."""
_OUTSIDE = ("signingCredential.expired", "claimSignature.outsideValidity")


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time-stamp token of the claim signature and how far it can be believed."""

    token: Token
    intact: bool
    """The engine found digest and signature right (``timeStamp.validated``)."""
    legacy: bool
    """``sigTst`` of a version 1 claim: the engine accepts it without asking who made it."""
    accepted: bool
    """The engine took the time from it (``timeStamp.trusted``)."""
    list: TrustList | None
    """The user's list that vouches for the authority at ``genTime``."""
    authority: Mapping[str, Any]

    @property
    def vouched(self) -> bool:
        """Rule 1. Where our parser cannot read the authority's certificate, the engine's lists decide."""
        return self.intact and (self.list is not None or (self.accepted and not self.legacy))


@dataclass(frozen=True, slots=True)
class Validity:
    """The signer's certificate, as far as time is concerned."""

    not_before: datetime | None
    not_after: datetime | None

    def expired(self, at: datetime) -> bool:
        return self.not_after is not None and at > self.not_after

    def early(self, at: datetime) -> bool:
        return self.not_before is not None and at < self.not_before


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """What the codes of :data:`TIME_CODES` are at another moment."""

    codes: tuple[Finding, ...]
    list: TrustList | None
    trusted: bool


@dataclass(frozen=True, slots=True)
class Timing:
    """The time answer, and what it changes in the rest of the report."""

    state: str | None
    """Validation state for :func:`verifier.decide.decide`."""
    answer: TimeAnswer
    findings: tuple[Finding, ...] = ()
    again: Reevaluation | None = None

    def replace(self, found: Iterable[Finding]) -> list[Finding]:
        """The findings with the engine's time-dependent codes exchanged for ours, when we evaluated again."""
        kept = list(found)
        return kept if self.again is None else exchange(kept, self.again.codes)

    def signer(self, answer: SignerAnswer) -> SignerAnswer:
        """The signer answer at the moment asked for. A broken signature stays broken."""
        if self.again is None or answer.state in (SignerState.ABSENT, SignerState.INVALID):
            return answer
        if self.again.trusted:
            return replace(answer, state=SignerState.TRUSTED, list=self.again.list.ref if self.again.list else None)
        return replace(answer, state=SignerState.UNKNOWN, list=None)


def judge(evidence: Evidence, trust: TrustStore, *, as_of: datetime | None, now: datetime) -> Timing:
    """Answer the question of time for one piece of evidence; ``as_of`` and ``now`` are aware."""
    if evidence.status is not EvidenceStatus.FOUND:
        return Timing(evidence.state, TimeAnswer(as_of=as_of))
    found: list[Finding] = []
    stamp = _stamp(evidence, trust, found)
    refused = stamp is not None and stamp.token.gen_time > now + SKEW
    if stamp is not None and refused:
        found.append(_own("future_timestamp", Bucket.FAILURE, signed_at=stamp.token.gen_time, now=now))
        stamp = None
    claimed = claimed_time(evidence, stamped=stamp is not None or refused)
    validity = _validity(evidence)
    state, at = _time_state(stamp, claimed, validity, as_of or now)
    found += _explain(stamp, claimed, validity, state, as_of or now)
    differs = stamp is not None and _signing_time_differs(stamp.token)
    if stamp is not None and differs:
        found.append(_own("signing_time_differs", Bucket.INFORMATIONAL, signed_at=stamp.token.gen_time,
                          signing_time=stamp.token.signing_time))  # fmt: skip
    if stamp is not None and as_of is not None and stamp.token.gen_time > as_of:
        found.append(_own("signed_after_as_of", Bucket.INFORMATIONAL, signed_at=stamp.token.gen_time, as_of=as_of))
        state, at = TimeState.NOT_YET_VALID, as_of
    answer = TimeAnswer(
        state=state,
        signed_at=stamp.token.gen_time if stamp else claimed,
        source="rfc3161" if stamp else ("claim" if claimed else None),
        authority=stamp.authority if stamp else None,
        as_of=as_of,
    )
    if as_of is None and not differs:
        return Timing(evidence.state, answer, tuple(found))
    if as_of is not None:
        found.append(_own("as_of", Bucket.INFORMATIONAL, as_of=as_of))
    again = evaluate(evidence, trust, at)
    if again is None:
        return Timing(evidence.state, answer, tuple(found))
    return Timing(state_after(evidence, again), answer, tuple(found), again)


def apply_as_of(evidence: Evidence, trust: TrustStore, as_of: datetime, *, now: datetime) -> tuple[
    str | None, tuple[Finding, ...]
]:  # fmt: skip
    """Validation state and findings as of a moment, without the rest of the report."""
    timing = judge(evidence, trust, as_of=as_of, now=now)
    return timing.state, (*timing.replace(evidence.codes), *timing.findings)


def evaluate(evidence: Evidence, trust: TrustStore, at: datetime) -> Reevaluation | None:
    """Validity and trust of the signer's chain at ``at``; None when the certificates cannot be read."""
    if evidence.store is None:
        return None
    from tanba import x509

    try:
        chain = x509.load_chain(jumbf.cose(evidence.store, evidence.active).x5chain)
    except MalformedAsset:
        return None
    if not chain:
        return None
    path = x509.find_path(chain, trust.of(Purpose.MANIFEST), at, accepted_ekus=trust.ekus)
    when = rfc3339(at)
    if path.trusted and path.list is not None:
        codes = [
            _c2pa("signingCredential.trusted", Bucket.SUCCESS, f"chains to {path.list.name} at {when}", path.list),
            _c2pa("claimSignature.insideValidity", Bucket.SUCCESS, f"evaluated at {when}"),
        ]
        return Reevaluation(tuple(codes), path.list, trusted=True)
    codes = [_c2pa("signingCredential.untrusted", Bucket.FAILURE, f"no list vouches at {when}: {path.reason}")]
    if at > chain[0].not_valid_after_utc:
        codes.append(_c2pa("signingCredential.expired", Bucket.FAILURE, f"expired at {when}"))
    elif at < chain[0].not_valid_before_utc:
        codes.append(_c2pa("claimSignature.outsideValidity", Bucket.FAILURE, f"not valid yet at {when}"))
    else:
        codes.append(_c2pa("claimSignature.insideValidity", Bucket.SUCCESS, f"evaluated at {when}"))
    return Reevaluation(tuple(codes), None, trusted=False)


def exchange(found: Iterable[Finding], codes: Iterable[Finding]) -> list[Finding]:
    """Swap the time-dependent codes of the active manifest; those of ingredients stay as recorded."""
    kept = [item for item in found if item.code not in TIME_CODES or "ingredient" in item.params]
    return [*codes, *kept]


def state_after(evidence: Evidence, again: Reevaluation) -> str | None:
    """The validation state once the time-dependent codes are exchanged (C2PA 2.4 section 14.3).

    Only what time changes may change: a label that the engine calls Invalid for any other reason stays Invalid, and one
    with other failures (identities, ingredients) that it calls Valid never becomes Trusted.
    """
    if any(item.code in _OUTSIDE for item in again.codes):
        return "Invalid"
    failures = [item for item in evidence.codes if item.bucket is Bucket.FAILURE]
    active = {item.code for item in failures if "ingredient" not in item.params}
    other = any("ingredient" in item.params or item.code not in TIME_CODES for item in failures)
    best = "Trusted" if again.trusted and not other else "Valid"
    if evidence.state in ("Valid", "Trusted"):
        return best
    return best if active & {*_OUTSIDE} and not other else evidence.state


def claimed_time(evidence: Evidence, *, stamped: bool) -> datetime | None:
    """The signer's own word for when: the signature's time when there is no token, else the first action's ``when``."""
    if not stamped:
        found = moment((evidence.manifest().get("signature_info") or {}).get("time"))
        if found is not None:
            return found
    times = [
        moment(action.get("when"))
        for assertion in evidence.manifest().get("assertions") or ()
        if str(assertion.get("label", "")).startswith("c2pa.actions")
        for action in (assertion.get("data") or {}).get("actions") or ()
        if isinstance(action, Mapping)
    ]
    known = [item for item in times if item is not None]
    return max(known) if known else None


def _stamp(evidence: Evidence, trust: TrustStore, found: list[Finding]) -> Stamp | None:
    if evidence.store is None:
        return None
    try:
        cose = jumbf.cose(evidence.store, evidence.active)
    except MalformedAsset:
        return None
    own = {item.code for item in evidence.codes if "ingredient" not in item.params}
    if not cose.timestamp_tokens:
        return _stamp_elsewhere(evidence, own)
    try:
        token = read_token(cose.timestamp_tokens[0])
    except TanbaError:
        found.append(_own("timestamp_refused", Bucket.INFORMATIONAL, code="timeStamp.malformed"))
        return None
    if "timeStamp.validated" not in own:
        code = next((item for item in sorted(own) if item.startswith("timeStamp.")), "timeStamp.mismatch")
        found.append(_own("timestamp_refused", Bucket.INFORMATIONAL, code=code))
        return None
    vouching, authority = _authority(token, trust, crjson_signature(evidence))
    return Stamp(
        token=token,
        intact=True,
        legacy="sigTst2" not in cose.unprotected,
        accepted="timeStamp.trusted" in own,
        list=vouching,
        authority=authority,
    )


def _stamp_elsewhere(evidence: Evidence, own: set[str]) -> Stamp | None:
    """A token that stands in a ``c2pa.time-stamp`` assertion (C2PA 2.4 section 18.19): the engine's reading of it."""
    gen_time = moment((evidence.manifest().get("signature_info") or {}).get("time"))
    if gen_time is None or not {"timeStamp.validated", "timeStamp.trusted"} <= own:
        return None
    token = Token(gen_time, None, "", b"", "", ())
    _, authority = _authority(token, TrustStore.empty(), crjson_signature(evidence))
    return Stamp(token, intact=True, legacy=False, accepted=True, list=None, authority=authority)


def _authority(
    token: Token, trust: TrustStore, signature: Mapping[str, Any]
) -> tuple[TrustList | None, Mapping[str, Any]]:
    """Who made the token and which list vouches. Time-stamp lists are asked first, then signer lists, like the engine."""
    from tanba import x509

    try:
        chain = x509.load_chain(token.certificates)
        facts = x509.facts(chain[0])
    except (MalformedAsset, IndexError):
        # Real authorities put characters into names that a strict parser refuses; the engine's reading is shown then.
        certificate = (signature.get("timeStampInfo") or {}).get("certificateInfo") or {}
        subject = certificate.get("subject") or {}
        return None, {"name": subject.get("CN"), "organization": subject.get("O"), "list": None}
    lists = (*trust.of(Purpose.TSA), *trust.of(Purpose.MANIFEST))
    path = x509.find_path(chain, lists, token.gen_time, accepted_ekus=(TIME_STAMPING,))
    ref = path.list.ref if path.list else None
    return path.list, {
        "name": facts.common_name,
        "organization": facts.organization,
        "fingerprint": facts.fingerprint,
        "not_after": rfc3339(facts.not_after),
        "list": {"name": ref.name, "date": ref.date, "sha256": ref.sha256} if ref else None,
    }


def _validity(evidence: Evidence) -> Validity:
    found = (crjson_signature(evidence).get("certificateInfo") or {}).get("validity") or {}
    return Validity(moment(found.get("notBefore")), moment(found.get("notAfter")))


def _time_state(
    stamp: Stamp | None, claimed: datetime | None, validity: Validity, asked: datetime
) -> tuple[TimeState, datetime]:
    """The state, and the moment at which the signer's certificate must be valid."""
    counts = stamp is not None and (stamp.vouched or (stamp.legacy and stamp.accepted))
    at = stamp.token.gen_time if stamp is not None and counts else asked
    if validity.expired(at):
        return TimeState.EXPIRED, at
    if validity.early(at):
        return TimeState.NOT_YET_VALID, at
    if stamp is not None and stamp.vouched:
        return TimeState.TIMESTAMPED, at
    return (TimeState.CLAIMED if stamp or claimed else TimeState.ABSENT), at


def _explain(
    stamp: Stamp | None, claimed: datetime | None, validity: Validity, state: TimeState, asked: datetime
) -> list[Finding]:
    found: list[Finding] = []
    if stamp is not None and not stamp.vouched:
        code = "legacy_authority" if stamp.legacy and stamp.accepted else "authority_unknown"
        found.append(_own(code, Bucket.INFORMATIONAL, authority=stamp.authority.get("name") or "?"))
    if stamp is None and state is TimeState.CLAIMED:
        found.append(_own("rests_on_claim", Bucket.INFORMATIONAL, claimed=claimed))
    if state is TimeState.EXPIRED:
        said = stamp.token.gen_time if stamp else claimed
        if said is None:
            code = "expired_unknown_when"
        elif validity.expired(said) or validity.early(said):
            code = "signed_outside_validity"
        else:
            code = "expired_without_timestamp"
        found.append(_own(code, Bucket.INFORMATIONAL, not_after=validity.not_after, claimed=said, as_of=asked))
    if state is TimeState.NOT_YET_VALID:
        found.append(_own("not_yet_valid", Bucket.INFORMATIONAL, not_before=validity.not_before, as_of=asked))
    return found


def _signing_time_differs(token: Token) -> bool:
    return token.signing_time is not None and abs(token.signing_time - token.gen_time) > SKEW


def _own(what: str, bucket: Bucket, **params: object) -> Finding:
    plain = {key: rfc3339(value) if isinstance(value, datetime) else value for key, value in params.items()}
    return Finding(
        f"tanba.time.{what}",
        bucket,
        Layer.TANBA,
        params={key: "" if value is None else value for key, value in plain.items()},
    )


def _c2pa(code: str, bucket: Bucket, text: str, vouching: TrustList | None = None) -> Finding:
    params = {"trust_list": vouching.uri} if vouching else {}
    return Finding(code, bucket, Layer.C2PA, text=f"tanba: {text}", params=params)
