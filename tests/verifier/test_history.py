"""The history tells every version's own state: as its labeller found it, and as the lists of this check see it now."""

from __future__ import annotations

import pytest

import labeler
from labeler import LabelOptions
from tanba.asset import Asset
from tanba.model import Disclosure, Involvement
from tanba.report import HistoryNode
from tanba.trust import TrustStore
from tests.pki import Pki, make_pki
from tests.verifier.conftest import png
from verifier import Settings, verify_bytes

GENERATED = Disclosure(involvement=Involvement.GENERATED, system="ExampleGen")
MODIFIED = Disclosure(involvement=Involvement.MODIFIED, system="ExampleEdit")


@pytest.fixture(scope="module")
def other() -> Pki:
    return make_pki()


def step(
    data: bytes, pki: Pki, said: Disclosure = MODIFIED, *, insist: bool = False, trust: TrustStore | None = None
) -> bytes:
    """One more version, labelled by a leaf of ``pki``; ``trust`` is what its labeller knew."""
    done = labeler.label(
        data,
        said,
        signer=pki.leaf().signer(),
        options=LabelOptions(accept_tampered_parent=insist),
        trust=trust or TrustStore.empty(),
    )
    assert done.content is not None
    return done.content


def versions(data: bytes, trust: TrustStore) -> list[HistoryNode]:
    """Newest first."""
    found, nodes = [], verify_bytes(data, Settings(trust=trust)).history
    while nodes:
        (node,) = nodes
        found.append(node)
        nodes = node.ingredients
    return found


def states(data: bytes, trust: TrustStore) -> list[str]:
    return [node.state for node in versions(data, trust)]


@pytest.mark.parametrize("versions_made", [1, 2, 4])
def test_every_version_of_a_listed_signer_is_trusted_whatever_its_labeller_knew(pki: Pki, versions_made: int) -> None:
    data = step(png(), pki, GENERATED)
    for _ in range(versions_made - 1):
        data = step(data, pki)
    assert states(data, pki.store()) == ["trusted"] * versions_made


def test_an_earlier_signer_who_is_on_no_list_stays_unknown(pki: Pki, other: Pki) -> None:
    data = step(step(png(), other, GENERATED), pki)
    assert states(data, pki.store()) == ["trusted", "valid"]
    assert states(data, pki.store().plus(*other.store().lists)) == ["trusted", "trusted"]
    assert states(data, other.store()) == ["valid", "trusted"]
    newest = verify_bytes(data, Settings(trust=other.store())).answers.signer
    assert (newest.state, newest.list) == ("unknown", None), (
        "a list that knows the earlier signer vouches for nobody else"
    )


def test_a_signer_whom_this_check_does_not_know_is_unknown_although_the_labeller_knew_it(pki: Pki, other: Pki) -> None:
    data = step(step(png(), other, GENERATED), pki, trust=other.store())
    assert states(data, pki.store()) == ["trusted", "valid"]


def test_a_version_that_was_broken_when_it_was_taken_in_stays_broken(pki: Pki) -> None:
    broken = bytearray(step(png(), pki, GENERATED))
    broken[-20] ^= 1  # inside the last IDAT or IEND chunk: bound bytes
    found = versions(step(bytes(broken), pki, insist=True), pki.store())
    assert [node.state for node in found] == ["trusted", "invalid"]
    assert "assertion.dataHash.mismatch" in found[1].codes


def test_an_original_without_a_label_is_unlabelled_and_not_called_anything_else(pki: Pki) -> None:
    original = Asset.from_bytes(png(color="navy"), name="original.png")
    done = labeler.label(png(), MODIFIED, signer=pki.leaf().signer(), options=LabelOptions(parent=original))
    assert done.content is not None
    (node,) = versions(done.content, pki.store())[1:]
    assert (node.title, node.state, node.relationship, node.signer) == ("original.png", "unlabelled", "parentOf", None)
