"""Merkle tree hashing and proofs of RFC 6962 §2.1, verified as RFC 9162 §2.1.3.2 and §2.1.4.2 say.

Pure: no storage, no I/O. Our own because no maintained, permissively licensed library keeps its nodes in a database of
the caller's (pymerkle is GPL; sigstore only verifies). A stored tree is a set of *complete* subtrees, each named by its
level and its index on that level; everything else is put together from at most 2 log n of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

Hash = bytes
"""32 bytes of SHA-256."""

EMPTY_ROOT: Hash = hashlib.sha256().digest()


def leaf_hash(data: bytes) -> Hash:
    """Hash of one entry (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Hash of an inner node (RFC 6962 §2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A complete subtree of ``2**level`` leaves, the ``index``-th of its level. Level 0 is the leaves."""

    level: int
    index: int


Lookup = Callable[[Node], Hash]
Range = tuple[int, int]


class Frontier:
    """The roots of the complete subtrees of a tree, largest first: all that appending needs."""

    def __init__(self, size: int = 0, hashes: Iterable[Hash] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if len(self.hashes) != size.bit_count():
            raise ValueError("the frontier does not fit the size")

    def append(self, leaf: Hash) -> list[tuple[Node, Hash]]:
        """Add one leaf; returns the inner nodes that it completed, lowest first."""
        completed = []
        index, level = self.size, 0
        while index & 1:
            leaf = node_hash(self.hashes.pop(), leaf)
            level, index = level + 1, index >> 1
            completed.append((Node(level, index), leaf))
        self.hashes.append(leaf)
        self.size += 1
        return completed

    def root(self) -> Hash:
        """The tree head of this size."""
        return _fold(self.hashes)


def root_nodes(size: int) -> list[Node]:
    """The complete subtrees whose hashes make the root of a tree of ``size``."""
    return _subtrees((0, size))


def root(size: int, lookup: Lookup) -> Hash:
    """The tree head of a tree of ``size``."""
    return _fold([lookup(node) for node in root_nodes(size)])


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """The leaf ranges whose hashes are ``PATH(index, D[size])`` (RFC 6962 §2.1.1), leaf side first."""
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of this size")
    start, end = 0, size
    path: list[Range] = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(old: int, new: int) -> list[Range]:
    """The leaf ranges whose hashes are ``PROOF(old, D[new])`` (RFC 6962 §2.1.2)."""
    if not 0 < old <= new:
        raise ValueError("a consistency proof leads from a smaller, non-empty tree to a larger one")
    start, end, whole = 0, new, True
    path: list[Range] = []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    if not whole:
        path.append((start, end))
    return path[::-1]


def range_nodes(ranges: Iterable[Range]) -> list[Node]:
    """Every stored node that :func:`hashes_of` will look up for these ranges."""
    return [node for span in ranges for node in _subtrees(span)]


def hashes_of(ranges: Iterable[Range], lookup: Lookup) -> list[Hash]:
    """The hash of each range."""
    return [_fold([lookup(node) for node in _subtrees(span)]) for span in ranges]


def verify_inclusion(index: int, size: int, leaf: Hash, proof: Sequence[Hash], expected_root: Hash) -> bool:
    """Whether the leaf is the ``index``-th of the tree with this size and root (RFC 9162 §2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and current == expected_root


def verify_consistency(old: int, new: int, old_root: Hash, new_root: Hash, proof: Sequence[Hash]) -> bool:
    """Whether the larger tree begins with exactly the leaves of the smaller (RFC 9162 §2.1.4.2).

    An empty old tree is a prefix of everything and takes an empty proof.
    """
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    from_old = from_new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            from_old, from_new = node_hash(sibling, from_old), node_hash(sibling, from_new)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            from_new = node_hash(from_new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and from_old == old_root and from_new == new_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtrees(span: Range) -> list[Node]:
    start, end = span
    found = []
    for level in range((end - start).bit_length() - 1, -1, -1):
        if (end - start) >> level & 1:
            found.append(Node(level, start >> level))
            start += 1 << level
    return found


def _fold(hashes: Sequence[Hash]) -> Hash:
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in hashes[-2::-1]:
        result = node_hash(left, result)
    return result
