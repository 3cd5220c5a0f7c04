"""Descriptions of trust lists that people ask for: what they are and who publishes them.

Descriptions only. No certificate is built in and nothing is fetched from here: whom to trust is the user's decision.
"""

from __future__ import annotations

from dataclasses import dataclass

from tanba.trust import Purpose


@dataclass(frozen=True, slots=True)
class KnownList:
    """A published list, for people to find."""

    name: str
    purpose: Purpose
    publisher: str
    about: str
    frozen: bool = False


KNOWN: tuple[KnownList, ...] = (
    KnownList(
        "c2pa",
        Purpose.MANIFEST,
        "C2PA, repository c2pa-org/conformance-public, file trust-list/C2PA-TRUST-LIST.pem",
        "Certificate authorities of generator products that passed the C2PA conformance programme.",
    ),
    KnownList(
        "c2pa-tsa",
        Purpose.TSA,
        "C2PA, repository c2pa-org/conformance-public, file trust-list/C2PA-TSA-TRUST-LIST.pem",
        "Time-stamp authorities of the programme. Without it, labels rot when the signer's certificate expires.",
    ),
    KnownList(
        "interim",
        Purpose.MANIFEST,
        "Content Authenticity Initiative, repository contentauth/verify-site (anchors and allowed certificates)",
        "The interim list that came before the official one. Frozen on 1 January 2026; old labels still need it.",
        frozen=True,
    ),
    KnownList(
        "iptc-publishers",
        Purpose.MANIFEST,
        "IPTC, Verified News Publishers List (iptc.org)",
        "End-entity certificates of news publishers whose identity IPTC checked; add it with --allowed.",
    ),
)
