"""Settings of the service: environment (``TANBA_…``, nested with ``__``), an optional TOML file, safe defaults.

Built once at the edge and passed in; nothing reads the environment later. With nothing configured the service runs
in development mode on loopback with SQLite and local files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from tanba import paths
from tanba.limits import MIB, Limits


def _cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LimitSettings(_Part):
    """What one request may cost; stricter than the CLI's, because strangers send these files."""

    asset_bytes: int = Field(default=64 * MIB, gt=0, description="Largest file, in bytes.")
    text_bytes: int = Field(default=8 * MIB, gt=0, description="Largest text, in bytes.")
    pixels: int = Field(default=100_000_000, gt=0, description="Width x height that may be decoded.")
    manifest_bytes: int = Field(default=8 * MIB, gt=0, description="Largest manifest store, in bytes.")
    jumbf_boxes: int = Field(default=4000, gt=0, description="JUMBF superboxes in a file; more is refused unread.")
    seconds: float = Field(default=10.0, gt=0, description="Wall-clock seconds for one file in a worker process.")
    worker_memory_bytes: int = Field(
        default=2048 * MIB, gt=0, description="Address space of one worker process, in bytes."
    )

    def as_limits(self) -> Limits:
        """The kernel's frozen value."""
        return Limits(**self.model_dump())


class S3Settings(_Part):
    """How to reach object storage; credentials may also come from the platform (instance roles)."""

    endpoint: str | None = Field(default=None, description="Endpoint URL for S3-compatible storage other than AWS.")
    region: str = Field(default="us-east-1", description="Region.")
    access_key_id: str | None = Field(default=None, description="Access key.")
    secret_access_key: SecretStr | None = Field(default=None, description="Secret key.")
    allow_http: bool = Field(default=False, description="Allow an unencrypted endpoint (tests).")


class JobSettings(_Part):
    """Batch jobs and web hooks."""

    items: int = Field(5_000, gt=0, description="Most items in one batch.")
    batch_bytes: int = Field(2048 * MIB, gt=0, description="Largest body of one batch, in bytes.")
    inbox_url: str | None = Field(None, description="file:///folder or s3://bucket/prefix for object references.")
    heartbeat_seconds: float = Field(10.0, gt=0, description="Silence after which another worker takes an item over.")
    keep_days: float = Field(7.0, gt=0, description="Days for which a finished job can be asked about.")
    wait_hours: float = Field(
        24.0,
        ge=0,
        description="Hours for which an item waits for a time-stamp authority or a key provider that is away.",
    )
    webhook_secret: SecretStr | None = Field(
        None,
        description="Secret that clients' web hook secrets are derived from; a file in service_dir by default. "
        "Several servers must share it.",
    )
    webhook_allow: list[str] = Field(
        default_factory=list, description="host:port pairs web hooks may reach although they are not public."
    )


class RateSettings(_Part):
    """Requests per caller, in the notation of the ``limits`` library (``300/minute``)."""

    anonymous_verify: str = Field(default="300/minute", description="Verifications by one address without a key.")
    anonymous_read: str = Field(
        default="3000/minute", description="Records of labels and pages of the log read from one address without a key."
    )
    anonymous_concurrency: int = Field(default=8, gt=0, description="Verifications of one address at the same time.")
    contest: str = Field(default="10/hour", description="Contests from one address.")
    storage: str = Field(
        default="async+memory://", description="Where counters live; async+redis://… for several processes."
    )


class Settings(BaseSettings):
    """Every setting of the service. ``tanba config show`` prints the effective values and where they come from."""

    model_config = SettingsConfigDict(env_prefix="TANBA_", env_nested_delimiter="__", frozen=True, extra="ignore")

    environment: Literal["development", "production"] = Field(
        default="development",
        description="development makes an identity and a key by itself and listens on loopback only; "
        "production does neither, and never migrates the database by itself.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on.")
    public_url: str | None = Field(default=None, description="The address readers use, for links in answers.")
    service_dir: Path = Field(
        default_factory=lambda: paths.data_dir() / "service", description="Spool, SQLite file and local blobs."
    )
    keys_dir: Path = Field(default_factory=paths.keys_dir, description="The keyring.")
    trust_dir: Path = Field(default_factory=paths.trust_dir, description="The trust lists.")
    database_url: SecretStr | None = Field(
        default=None, description="sqlite:////path or postgresql://…; SQLite by default."
    )
    blobs_url: str | None = Field(
        default=None, description="file:///path or s3://bucket/prefix; local files by default."
    )
    s3: S3Settings = S3Settings()
    identity: str | None = Field(
        default=None, description="Signing identity for labels; the keyring's default otherwise."
    )
    labelling: bool = Field(
        default=True, description="Whether this deployment labels at all; without, it needs no keys."
    )
    accept_log_key: bool = Field(
        default=False,
        description="Start although log.key is not the key that signed this label log so far; auditors will call it "
        "another log.",
    )
    timestamp_url: str | None = Field(
        default=None,
        description="RFC 3161 authorities in order of preference, separated by spaces; operators choose them, never a "
        "request.",
    )
    timestamp_policy: Literal["fail", "without"] = Field(
        default="fail",
        description="When no authority answers: no label (503), or a label without a stamp whose receipt says so.",
    )
    timestamp_seconds: float = Field(
        default=3.0, gt=0, le=25, description="Seconds for each authority; all together get half the time of a file."
    )
    anonymous_verify: bool = Field(default=True, description="Whether verification works without a key.")
    zero_retention: bool = Field(
        default=True, description="Verification stores and logs nothing of the content, its name or its URL."
    )
    keep_content_hours: float = Field(
        default=24, gt=0, description="Hours for which labelled bytes are kept for download."
    )
    idempotency_hours: float = Field(default=24, gt=0, description="Hours for which an Idempotency-Key is remembered.")
    limits: LimitSettings = LimitSettings()
    jobs: JobSettings = JobSettings()  # type: ignore[call-arg] # as above
    rates: RateSettings = RateSettings()
    workers: int = Field(
        default_factory=lambda: _cores() + 1,
        gt=0,
        description="Worker processes around the engine; one more than cores, so that no core waits for the next hand-over.",
    )
    label_workers: int | None = Field(
        default=None,
        ge=0,
        description="Worker processes for labels alone, so that an authority or a signer that falls silent holds up no "
        "verification; 0: labels share the others. By default as many as the others when there are time-stamp authorities, "
        "otherwise 0.",
    )
    queue: int = Field(
        default_factory=lambda: 16 * _cores(), ge=0, description="Requests that may wait for a worker; more get 503."
    )
    cache_entries: int = Field(default=20_000, gt=0, description="Verification results held in memory.")
    cache_seconds: int = Field(default=86_400, gt=0, description="Longest life of a cached result.")
    extension_origins: str = Field(
        default=r"^(chrome-extension://[a-p]{32}|moz-extension://[0-9a-f-]{36})$",
        description="Regular expression of browser origins that may call the API.",
    )
    metrics: bool = Field(default=False, description="Serve Prometheus metrics under /metrics.")
    otel: bool = Field(
        default=False, description="Send OpenTelemetry traces (needs the extra otel; OTEL_* variables apply)."
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1", description="Reverse proxies whose X-Forwarded-For is believed."
    )
    header_seconds: float = Field(default=15.0, gt=0, description="Time a client has for sending its request head.")
    body_seconds: float = Field(default=10.0, gt=0, description="Time for a body, plus one second per 64 KiB received.")

    @model_validator(mode="after")
    def _development_stays_home(self) -> Self:
        if self.environment == "development" and self.host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("development mode listens on loopback only; set TANBA_ENVIRONMENT=production")
        return self

    @model_validator(mode="after")
    def _authorities_are_addresses(self) -> Self:
        for url in self.timestamp_urls:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
                raise ValueError("timestamp_url holds something that is no http or https address")
        return self

    @property
    def effective_label_workers(self) -> int:
        """Worker processes for labels alone."""
        if self.label_workers is not None:
            return self.label_workers
        return self.workers if self.timestamp_urls else 0

    @property
    def timestamp_urls(self) -> tuple[str, ...]:
        """The authorities in order."""
        return tuple((self.timestamp_url or "").split())

    @property
    def effective_database_url(self) -> str:
        """The configured URL, or a SQLite file in the service's folder."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.service_dir.absolute() / 'tanba.db'}"

    @property
    def effective_blobs_url(self) -> str:
        """The configured URL, or a folder in the service's folder."""
        return self.blobs_url or (self.service_dir.absolute() / "blobs").as_uri()

    @property
    def spool_dir(self) -> Path:
        """Uploads and results on their way; swept at start."""
        return self.service_dir / "spool"

    @property
    def base_url(self) -> str:
        """The address for links, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def log_origin(self) -> str:
        """The label log's name at its first start: host and path of the public address, without a scheme (C2SP)."""
        return self.base_url.partition("://")[2] + "/log"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then environment, then the TOML file named by ``TANBA_CONFIG``."""
        del dotenv_settings, file_secret_settings
        sources = (init_settings, env_settings)
        if path := os.environ.get("TANBA_CONFIG"):
            return (*sources, TomlConfigSettingsSource(settings_cls, toml_file=Path(path)))
        return sources
