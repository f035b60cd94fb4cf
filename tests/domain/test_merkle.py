"""The tree is that of RFC 9162, and a path proves its own leaf at its own place alone."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.merkle import BRANCH_LEAVES, Growing, branches_of, leaf_of, path_of, root_by, root_of

LEAVES = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
LEAVES.append(bytes(range(0x60, 0x70)))
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
"""What Certificate Transparency's implementations hold their trees against: eight leaves, the root of the first n."""

SIZES = st.integers(1, 40) | st.sampled_from([255, 256, 257, 511, 512, 513, 600, 769, 1025])


def data_of(size: int) -> list[bytes]:
    return [sha256(bytes([n % 256, n // 256])).digest() for n in range(size)]


def root_as_written(data: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word by word."""
    if len(data) == 1:
        return sha256(b"\0" + data[0]).digest()
    split = 1
    while split * 2 < len(data):
        split *= 2
    return sha256(b"\1" + root_as_written(data[:split]) + root_as_written(data[split:])).digest()


def path_as_written(index: int, data: list[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1, word by word."""
    if len(data) == 1:
        return []
    split = 1
    while split * 2 < len(data):
        split *= 2
    if index < split:
        return [*path_as_written(index, data[:split]), root_as_written(data[split:])]
    return [*path_as_written(index - split, data[split:]), root_as_written(data[:split])]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_that_others_publish(size: int) -> None:
    assert root_of(branches_of(LEAVES[:size])).hex() == ROOTS[size - 1]


@given(SIZES, st.data())
def test_roots_and_paths_are_those_of_the_rfc(size: int, drawn: st.DataObject) -> None:
    data, index = data_of(size), drawn.draw(st.integers(0, size - 1))

    begun = index - index % BRANCH_LEAVES
    leaves = [leaf_of(each) for each in data[begun : begun + BRANCH_LEAVES]]
    branches = branches_of(data)
    path = [*path_of(leaves, index - begun), *path_of(branches, index // BRANCH_LEAVES)]

    assert root_of(branches) == root_as_written(data)
    assert path == path_as_written(index, data)
    assert root_by(leaf_of(data[index]), index, size, path) == root_of(branches)


@given(SIZES, st.data())
def test_a_path_proves_no_other_leaf_no_other_place_and_nothing_if_it_is_changed(
    size: int, drawn: st.DataObject
) -> None:
    data, index = data_of(size), drawn.draw(st.integers(0, size - 1))
    root, path, leaf = root_as_written(data), path_as_written(index, data), leaf_of(data[index])
    other = drawn.draw(st.integers(-2, size + 2).filter(lambda place: place != index))

    assert root_by(leaf_of(b"another"), index, size, path) != root
    assert root_by(leaf, other, size, path) != root
    assert root_by(leaf, index, size, [*path, leaf]) is None
    if path:
        assert root_by(leaf, index, size, path[:-1]) is None
        at = drawn.draw(st.integers(0, len(path) - 1))
        assert root_by(leaf, index, size, [*path[:at], leaf, *path[at + 1 :]]) != root


@given(SIZES)
def test_it_grows_leaf_by_leaf_to_the_same(size: int) -> None:
    tree = Growing()
    for each in data_of(size):
        tree.add(each)
    assert tree.branches == branches_of(data_of(size))
    assert len(tree.branches) == -(-size // BRANCH_LEAVES)
