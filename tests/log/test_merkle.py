"""The tree against the published vectors and against a naive reading of RFC 6962 §2.1.

The eight leaves, their roots and the proofs are those of the Certificate Transparency reference implementations
(google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc).
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.log import merkle
from service.log.merkle import Frontier, Node

LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = [
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


class Tree:
    """A tree in memory: the nodes that a store would keep."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.frontier = Frontier()
        self.nodes: dict[Node, bytes] = {}
        for index, data in enumerate(leaves):
            self.nodes[Node(0, index)] = merkle.leaf_hash(data)
            self.nodes |= dict(self.frontier.append(self.nodes[Node(0, index)]))

    def path(self, index: int, size: int) -> list[bytes]:
        return merkle.hashes_of(merkle.inclusion_ranges(index, size), self.nodes.__getitem__)

    def consistency(self, old: int, new: int) -> list[bytes]:
        return merkle.hashes_of(merkle.consistency_ranges(old, new), self.nodes.__getitem__)

    def root(self, size: int) -> bytes:
        return merkle.root(size, self.nodes.__getitem__)


def naive_root(leaves: list[bytes]) -> bytes:
    """MTH(D[n]) word for word."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_published_ones(size: int) -> None:
    tree = Tree(LEAVES)
    assert tree.root(size).hex() == ROOTS[size]
    assert Tree(LEAVES[:size]).frontier.root().hex() == ROOTS[size]


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_audit_paths_are_the_published_ones(index: int, size: int, proof: list[str]) -> None:
    path = Tree(LEAVES).path(index, size)
    assert [value.hex() for value in path] == proof
    leaf = merkle.leaf_hash(LEAVES[index])
    assert merkle.verify_inclusion(index, size, leaf, path, bytes.fromhex(ROOTS[size]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(old: int, new: int, proof: list[str]) -> None:
    path = Tree(LEAVES).consistency(old, new)
    assert [value.hex() for value in path] == proof
    assert merkle.verify_consistency(old, new, bytes.fromhex(ROOTS[old]), bytes.fromhex(ROOTS[new]), path)


SIZES = 34
TREE = Tree([b"leaf %d" % number for number in range(SIZES)])


def test_every_root_is_the_naive_one() -> None:
    for size in range(SIZES + 1):
        assert TREE.root(size) == naive_root([b"leaf %d" % number for number in range(size)])


def test_every_audit_path_verifies_and_no_other_index_or_size_does() -> None:
    for size in range(1, SIZES + 1):
        for index in range(size):
            path, leaf = TREE.path(index, size), TREE.nodes[Node(0, index)]
            assert merkle.verify_inclusion(index, size, leaf, path, TREE.root(size))
            assert not merkle.verify_inclusion((index + 1) % (size + 1), size, leaf, path, TREE.root(size)) or size == 1
            assert not merkle.verify_inclusion(index, size, leaf, [*path, leaf], TREE.root(size))
            assert not path or not merkle.verify_inclusion(index, size, leaf, path[:-1], TREE.root(size))


def test_every_consistency_proof_verifies_and_no_changed_one_does() -> None:
    for new in range(1, SIZES + 1):
        for old in range(1, new + 1):
            proof = TREE.consistency(old, new)
            assert merkle.verify_consistency(old, new, TREE.root(old), TREE.root(new), proof)
            assert not merkle.verify_consistency(old, new, TREE.root(old), TREE.root(new), [*proof, bytes(32)])
            for position in range(len(proof)):
                bent = [*proof]
                bent[position] = bytes(32)
                assert not merkle.verify_consistency(old, new, TREE.root(old), TREE.root(new), bent)
            if old < new:
                assert not merkle.verify_consistency(old, new, TREE.root(old - 1), TREE.root(new), proof)


def test_an_empty_log_is_a_prefix_of_every_log() -> None:
    assert merkle.verify_consistency(0, 5, merkle.EMPTY_ROOT, TREE.root(5), [])
    assert not merkle.verify_consistency(0, 5, TREE.root(1), TREE.root(5), [])
    assert not merkle.verify_consistency(5, 4, TREE.root(5), TREE.root(4), [])


@given(st.integers(-3, 70), st.integers(-3, 70), st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_random_proofs_never_verify_and_never_crash(first: int, second: int, proof: list[bytes]) -> None:
    assert not merkle.verify_inclusion(first, second, b"\x01" * 32, proof, b"\x02" * 32)
    assert not merkle.verify_consistency(first, second, b"\x01" * 32, b"\x02" * 32, proof)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_path_to_a_leaf_that_is_not_there_is_refused(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such leaf"):
        merkle.inclusion_ranges(index, size)
