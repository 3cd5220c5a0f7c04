"""Demands too subtle for the TOML files: named, pure functions ``(disclosure, layers) -> problems in words``.

A profile names one with ``check = "..."``. Each cites the clause it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from tanba.model import Disclosure

Check = Callable[[Disclosure, Collection[str]], tuple[str, ...]]

_MACHINE_LAYERS = ("c2pa", "watermark")
KZ_BASES = ("person_appearance", "person_voice", "person_behaviour", "non_event")
"""The four bases of a *synthetic result* in Art. 1(4) of Kazakhstan's Law 230-VIII."""

_AIGC_CODE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def two_layers(disclosure: Disclosure, layers: Collection[str]) -> tuple[str, ...]:
    """EU Code of Practice, measure 1.1: signed metadata *and* an imperceptible watermark; a fingerprint never counts."""
    del disclosure
    present = [name for name in _MACHINE_LAYERS if name in layers]
    if len(present) == len(_MACHINE_LAYERS):
        return ()
    missing = [name for name in _MACHINE_LAYERS if name not in layers]
    return (f"two machine-readable layers ({len(present)} planned, without: {', '.join(missing)})",)


def known_kz_basis(disclosure: Disclosure, layers: Collection[str]) -> tuple[str, ...]:
    """KZ 230-VIII Art. 1(4): a stated basis must be one of the four that the article names."""
    del layers
    wrong = [item for item in disclosure.synthetic_result if item not in KZ_BASES]
    return (f"a basis out of {', '.join(KZ_BASES)} (not {', '.join(wrong)})",) if wrong else ()


def aigc_code(disclosure: Disclosure, layers: Collection[str]) -> tuple[str, ...]:
    """GB 45438-2025 Annex E j): the producer's name or code in 0x21, 0x23-0x5B, 0x5D-0x7E: no space, quote, backslash
    or letter beyond ASCII.
    """
    del layers
    code = disclosure.provider_id or disclosure.provider
    if code is None or _AIGC_CODE.fullmatch(code):
        return ()
    return ("a producer name or code in printable ASCII without spaces, quotes and backslashes (--provider-id)",)


CHECKS: Mapping[str, Check] = {
    "two_layers": two_layers,
    "known_kz_basis": known_kz_basis,
    "aigc_code": aigc_code,
}
