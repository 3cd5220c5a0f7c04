"""Checks marks on images, text and other files. Cannot sign: no key and no signing call is reachable from here.

>>> import verifier
>>> report = verifier.verify("photo.jpg")            # doctest: +SKIP
>>> report.verdict, report.answers.integrity.state   # doctest: +SKIP
"""

from __future__ import annotations

from pathlib import Path

from tanba.asset import Asset
from tanba.report import VerificationReport
from verifier.procedure import Settings, verify_asset
from verifier.sidecar import find_sidecar, read_sidecar

__all__ = ["Settings", "verify", "verify_asset", "verify_bytes"]


def verify(
    path: str | Path, settings: Settings | None = None, *, manifest: str | Path | None = None
) -> VerificationReport:
    """Verify a file. A sidecar (``FILE.c2pa`` beside ``FILE``, or ``manifest``) is used when the file holds none.

    Raises :class:`tanba.errors.AssetUnreadable` or :class:`tanba.errors.AssetTooLarge`; everything else is a finding.
    """
    settings = settings or Settings()
    asset = Asset.from_path(Path(path), limits=settings.limits)
    if manifest is not None:
        return verify_asset(asset, settings, manifest=read_sidecar(Path(manifest), settings.limits))
    report = verify_asset(asset, settings)
    sidecar = find_sidecar(Path(path)) if report.verdict in ("unmarked", "unchecked") else None
    if sidecar is None:
        return report
    return verify_asset(asset, settings, manifest=read_sidecar(sidecar, settings.limits))


def verify_bytes(
    data: bytes, settings: Settings | None = None, *, name: str | None = None, manifest: bytes | None = None
) -> VerificationReport:
    """Verify bytes. ``name`` only helps to tell text kinds apart; it is not opened."""
    settings = settings or Settings()
    return verify_asset(Asset.from_bytes(data, name=name, limits=settings.limits), settings, manifest=manifest)
