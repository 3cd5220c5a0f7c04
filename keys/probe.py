"""The last question before an identity becomes active: does it really make a label that reads back as intact?"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

from keys import config, opening
from keys.identity import make
from keys.keyring import IdentityInfo
from keys.providers import get
from keys.providers.base import DEFAULT_SECONDS, Secrets
from keys.states import State
from tanba.errors import CredentialError, IdentityNotUsable

_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>'


def probe(home: Path, info: IdentityInfo, *, secrets: Secrets | None = None, seconds: float = DEFAULT_SECONDS) -> None:
    """Sign a tiny picture with the identity and read it back with its own issuer trusted; keeps nothing.

    Raises what the key raises, or :class:`CredentialError` when the label does not read as trusted.
    """
    from tanba.asset import Asset
    from tanba.engine.read import read
    from tanba.engine.write import sign
    from tanba.trust import Purpose, TrustList, TrustStore

    if not info.fingerprint:
        raise IdentityNotUsable(
            f"{info.name} has no certificate yet", hint=f"`tanba keys install {info.name} CHAIN` first"
        )
    if info.state is State.REVOKED:
        raise IdentityNotUsable(f"{info.name} is revoked")
    from keys import files

    folder = opening.folder(home, info)
    chain = files.read(folder / opening.CHAIN)
    out = io.BytesIO()
    where = opening.reference(home, info, secrets or config.resolver(), seconds)
    with get(info.provider).open_key(where) as key:
        sign(io.BytesIO(_SVG), "image/svg+xml", _definition(), make(info, chain, key), out)
    root = folder / opening.ROOT
    anchors = files.read(root) if root.is_file() else chain
    trust = TrustStore((TrustList("probe", Purpose.MANIFEST, anchors.decode("ascii")),))
    evidence = read(Asset.from_bytes(out.getvalue(), name="probe.svg"), trust=trust)
    if evidence.state != "Trusted":
        failures = sorted({item.code for item in evidence.codes if item.bucket.value == "failure"})
        raise CredentialError(
            f"a label made with {info.name} does not read back as trusted",
            code="tanba.keys.probe_failed",
            hint=f"`tanba keys check --identity {info.name}` names what is wrong",
            details={"state": evidence.state, "codes": failures},
        )


def _definition() -> dict[str, object]:
    source = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
    action = {"action": "c2pa.created", "digitalSourceType": source, "when": datetime.now(UTC).isoformat()}
    return {
        "claim_generator_info": [{"name": "Tanba", "version": "probe"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
