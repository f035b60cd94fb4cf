"""A Merkle tree as RFC 9162, section 2.1, has it: what proves that one leaf is in it says nothing of the others.

Its leaves are the hashes of entries. A branch is the node above BRANCH_LEAVES of them, the last one above the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

BRANCH_LEAVES = 256  # a power of two, so that each branch is a node of the whole tree


def leaf_of(data: bytes) -> bytes:
    """The node of a leaf."""
    return sha256(b"\0" + data).digest()


def root_of(nodes: Sequence[bytes]) -> bytes:
    """The node above nodes that lie side by side. Requires one at least."""
    assert nodes
    while len(nodes) > 1:
        nodes = _above(nodes)
    return nodes[0]


def path_of(nodes: Sequence[bytes], index: int) -> list[bytes]:
    """What stands beside the way from a node up to the root, from below."""
    path: list[bytes] = []
    while len(nodes) > 1:
        if index ^ 1 < len(nodes):
            path.append(nodes[index ^ 1])
        nodes, index = _above(nodes), index // 2
    return path


def root_by(leaf: bytes, index: int, size: int, path: Iterable[bytes]) -> bytes | None:
    """The root that a path leads to from the leaf at `index` of `size`; None if the path is not as long as the way."""
    if not 0 <= index < size:
        return None
    node, beside = leaf, iter(path)
    while size > 1:
        if index ^ 1 < size:
            other = next(beside, None)
            if other is None:
                return None
            node = _node(other, node) if index % 2 else _node(node, other)
        index, size = index // 2, (size + 1) // 2
    return node if next(beside, None) is None else None


@dataclass(slots=True)
class Growing:
    """A tree that grows leaf by leaf; it holds a branch's leaves at once, and its branches."""

    _branches: list[bytes] = field(default_factory=list[bytes])
    _leaves: list[bytes] = field(default_factory=list[bytes])

    def add(self, data: bytes) -> None:
        """One leaf more."""
        self._leaves.append(leaf_of(data))
        if len(self._leaves) == BRANCH_LEAVES:
            self._branches.append(root_of(self._leaves))
            self._leaves = []

    @property
    def branches(self) -> list[bytes]:
        """The branches, the last one perhaps of fewer leaves."""
        return [*self._branches, root_of(self._leaves)] if self._leaves else self._branches


def branches_of(leaves: Iterable[bytes]) -> list[bytes]:
    """The branches above these leaves' data."""
    tree = Growing()
    for data in leaves:
        tree.add(data)
    return tree.branches


def _above(nodes: Sequence[bytes]) -> list[bytes]:
    """The next level; the last of an odd number rises as it is."""
    pairs = zip(nodes[::2], nodes[1::2], strict=False)
    return [_node(left, right) for left, right in pairs] + ([nodes[-1]] if len(nodes) % 2 else [])


def _node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()
