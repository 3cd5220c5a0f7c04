"""Do the layers tell one story? Both claims are shown; neither is preferred."""

from __future__ import annotations

from collections.abc import Iterable

from tanba.report import AiState, Bucket, Finding, Layer, Statement, Strength

_AI = frozenset({AiState.GENERATED, AiState.MODIFIED, AiState.COMPOSITE})


def findings(statements: Iterable[Statement]) -> tuple[Finding, ...]:
    """A ``tanba.coherence.layers_disagree`` finding for each unsigned layer that contradicts the signed label.

    Only whole-asset statements are compared, and only "AI" against "declared without AI"; degrees of AI may differ.
    """
    kept = [item for item in statements if item.scope == "asset" and item.involvement]
    signed = {item.involvement in _AI for item in kept if item.strength is Strength.SIGNED}
    if len(signed) != 1:
        return ()
    says_ai = signed.pop()
    against: dict[Layer, Statement] = {}
    for item in kept:
        if item.strength is Strength.UNSIGNED and (item.involvement in _AI) != says_ai:
            against.setdefault(item.layer, item)
    return tuple(
        Finding(
            "tanba.coherence.layers_disagree",
            Bucket.INFORMATIONAL,
            layer,
            subject=item.what,
            text=f"the signed label {'says' if says_ai else 'does not say'} AI, {layer.value} says otherwise",
            params={"layer": layer.value, "value": item.what},
        )
        for layer, item in against.items()
    )
