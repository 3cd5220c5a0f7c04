"""Detached manifest stores: ``FILE.c2pa`` beside ``FILE``, or one the user names (C2PA 2.4 section 11.4)."""

from __future__ import annotations

from pathlib import Path

from tanba.errors import AssetTooLarge, AssetUnreadable
from tanba.limits import Limits


def find_sidecar(path: Path) -> Path | None:
    """``photo.jpg.c2pa`` or ``photo.c2pa`` beside ``photo.jpg``, the longer name first; None when there is none."""
    candidates = (path.with_name(path.name + ".c2pa"), path.with_suffix(".c2pa"))
    return next((item for item in candidates if item != path and item.is_file()), None)


def read_sidecar(path: Path, limits: Limits) -> bytes:
    """The bytes of a sidecar. Raises :class:`AssetUnreadable` or :class:`AssetTooLarge`."""
    try:
        with path.open("rb") as stream:
            data = stream.read(limits.manifest_bytes + 1)
    except OSError as error:
        raise AssetUnreadable(
            f"cannot read the manifest {path.name}: {error.strerror or 'I/O error'}", hint="give an existing .c2pa file"
        ) from error
    if len(data) > limits.manifest_bytes:
        raise AssetTooLarge(
            f"the manifest {path.name} is larger than {limits.manifest_bytes:,} bytes",
            code="tanba.input.manifest_too_large",
        )
    return data
