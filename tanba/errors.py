"""The one exception tree of Tanba.

Exceptions say that the program could not do its job; findings (:mod:`tanba.report`) say what the job found.
No HTTP status and no exit code lives here: ``tanba.exits`` and ``service.problems`` map classes to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class TanbaError(Exception):
    """Root of every error Tanba raises on purpose.

    ``code`` is stable and documented (``tanba.<area>.<what>``); ``hint`` says what to do next; ``details`` holds
    machine-readable extras. Messages never contain file content, secrets or a server's full paths.
    """

    default_code = "tanba.error"
    retryable = False

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        hint: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that ``--json`` prints under ``error`` and the service extends to a problem document."""
        body: dict[str, Any] = {"code": self.code, "message": self.message, "retryable": self.retryable}
        if self.hint:
            body["hint"] = self.hint
        if self.details:
            body["details"] = self.details
        return body


class InputError(TanbaError):
    """The caller can fix it."""

    default_code = "tanba.input.invalid"


class UsageError(InputError):
    """The request itself makes no sense (contradicting or missing options)."""

    default_code = "tanba.input.usage"


class UnsupportedFormat(InputError):
    """No engine of ours can read or write this media type."""

    default_code = "tanba.input.unsupported_format"


class AssetTooLarge(InputError):
    """A limit of :class:`tanba.limits.Limits` is exceeded."""

    default_code = "tanba.input.too_large"


class MalformedAsset(InputError):
    """The bytes do not parse as the format they claim to be."""

    default_code = "tanba.input.malformed"


class MetadataNotWritable(InputError):
    """XMP cannot be written into this file without loss; the other layers still can."""

    default_code = "tanba.metadata.not_writable"


class AssetUnreadable(InputError):
    """The file does not exist, is a directory, or cannot be opened."""

    default_code = "tanba.input.unreadable"


class TextNotEncodable(InputError):
    """The text is not valid UTF-8 (or holds lone surrogates) and cannot be bound by C2PA A.8."""

    default_code = "tanba.input.text_not_encodable"


class LabelingError(TanbaError):
    """A label could not be made."""

    default_code = "tanba.label.failed"


class AlreadyLabelled(LabelingError):
    """The input carries a label that cannot be kept as history (for example a tampered one)."""

    default_code = "tanba.label.parent_refused"


class RequirementUnmet(LabelingError):
    """A jurisdiction profile asks for a field or layer that is missing; ``details`` names the article."""

    default_code = "tanba.label.requirement_unmet"


class VisibleRefused(LabelingError):
    """A visible mark cannot be drawn into this file; the other layers still can."""

    default_code = "tanba.visible.refused"


class SelfCheckFailed(LabelingError):
    """What was written did not read back as intended; nothing was handed out."""

    default_code = "tanba.label.self_check_failed"


class OutputRefused(LabelingError):
    """The output path cannot be written safely."""

    default_code = "tanba.label.output_refused"


class CredentialError(TanbaError):
    """Something is wrong with a signing credential."""

    default_code = "tanba.keys.invalid"


class IdentityNotFound(CredentialError):
    """No identity of that name."""

    default_code = "tanba.keys.not_found"


class IdentityNotUsable(CredentialError):
    """The identity exists but may not sign (expired, revoked, retired, wrong usage)."""

    default_code = "tanba.keys.not_usable"


class PassphraseRequired(CredentialError):
    """The key is encrypted and no pass-phrase, or a wrong one, was given."""

    default_code = "tanba.keys.passphrase"


class TransitionRefused(CredentialError):
    """A life-cycle change that the state machine does not allow."""

    default_code = "tanba.keys.transition_refused"


class ProviderUnavailable(CredentialError):
    """The key provider (HSM, KMS, remote signer) is down, slow or refuses."""

    default_code = "tanba.keys.provider_unavailable"
    retryable = True


class TimestampError(TanbaError):
    """A time stamp could not be obtained or is not acceptable (RFC 3161)."""

    default_code = "tanba.timestamp.failed"
    retryable = True


class TrustError(TanbaError):
    """Trust anchors are unreadable, empty where required, or do not match their pin."""

    default_code = "tanba.trust.invalid"


class ResolverError(TanbaError):
    """A remote service that the user asked for did not answer usefully."""

    default_code = "tanba.network.failed"
    retryable = True


class NetworkRefused(TanbaError):
    """A request was refused by the network guard (SSRF, size, time, redirects)."""

    default_code = "tanba.network.refused"


class StorageError(TanbaError):
    """A store (file, database, object storage) failed."""

    default_code = "tanba.storage.failed"
    retryable = True


class PolicyNotMet(TanbaError):
    """Raised only by :meth:`tanba.report.VerificationReport.require`."""

    default_code = "tanba.policy.not_met"


class Deadline(TanbaError):
    """The work was stopped because it took longer, or more memory, than it may."""

    default_code = "tanba.limit.deadline"


class InstallationError(TanbaError):
    """The installation itself is broken (package clash, engine self-test failed)."""

    default_code = "tanba.installation.broken"


class EngineError(TanbaError):
    """The C2PA engine said something we did not expect: a bug of ours or an upgrade."""

    default_code = "tanba.engine.unexpected"
