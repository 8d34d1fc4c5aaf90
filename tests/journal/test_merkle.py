import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credits.journal import merkle
from credits.journal.merkle import BadProof, leaf_hash
from tests.journal import reference

# The leaves and roots that Certificate Transparency's own code is tested with.
KNOWN_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
KNOWN_ROOTS = [
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

ENTRIES = [b"entry %d" % number for number in range(70)]


def node(level: int, index: int) -> bytes:
    return reference.root(ENTRIES[index << level : (index + 1) << level])


class TestRoot:
    @pytest.mark.parametrize("size", range(len(KNOWN_ROOTS)))
    def test_is_the_known_one(self, size):
        def known(level: int, index: int) -> bytes:
            return merkle.perfect_root(
                [leaf_hash(leaf) for leaf in KNOWN_LEAVES[index << level : (index + 1) << level]]
            )

        assert merkle.root(size, known).hex() == KNOWN_ROOTS[size]

    def test_is_the_references_for_every_size(self):
        for size in range(len(ENTRIES)):
            assert merkle.root(size, node) == reference.root(ENTRIES[:size])


class TestInclusion:
    def test_proves_every_entry_of_every_tree(self):
        for size in range(1, 40):
            for index in range(size):
                proof = merkle.inclusion_proof(index, size, node)

                assert proof == reference.path(index, ENTRIES[:size])
                merkle.verify_inclusion(index, size, leaf_hash(ENTRIES[index]), proof, reference.root(ENTRIES[:size]))

    @pytest.mark.parametrize("index, size", [(5, 5), (-1, 5), (0, 0)])
    def test_is_not_made_for_what_is_not_there(self, index, size):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.inclusion_proof(index, size, node)

    @settings(max_examples=200)
    @given(st.integers(1, 60), st.data())
    def test_holds_for_nothing_else(self, size, data):
        index = data.draw(st.integers(0, size - 1))
        proof, root = merkle.inclusion_proof(index, size, node), reference.root(ENTRIES[:size])
        leaf = leaf_hash(ENTRIES[index])
        other = data.draw(st.integers(0, size).filter(lambda place: place != index))
        bent = [(index, size, leaf_hash(b"another"), proof, root), (index, size, leaf, [*proof, leaf], root)]
        bent += [(index, size, leaf, proof, leaf_hash(b"root")), (other, size, leaf, proof, root)]
        if proof:
            bent += [(index, size, leaf, proof[:-1], root), (index, size, leaf, [leaf, *proof[1:]], root)]

        for case in bent:
            with pytest.raises(BadProof):
                merkle.verify_inclusion(*case)


class TestConsistency:
    def test_shows_that_every_tree_continues_every_smaller_one(self):
        for new in range(40):
            for old in range(new + 1):
                proof = merkle.consistency_proof(old, new, node)

                assert proof == (reference.proof(old, ENTRIES[:new]) if old else [])
                merkle.verify_consistency(old, new, reference.root(ENTRIES[:old]), reference.root(ENTRIES[:new]), proof)

    def test_is_not_made_backwards(self):
        with pytest.raises(ValueError, match="does not continue"):
            merkle.consistency_proof(3, 2, node)

    @settings(max_examples=200)
    @given(st.integers(1, 60), st.data())
    def test_holds_for_nothing_else(self, new, data):
        old = data.draw(st.integers(1, new))
        proof = merkle.consistency_proof(old, new, node)
        before, after, other = reference.root(ENTRIES[:old]), reference.root(ENTRIES[:new]), leaf_hash(b"other")
        bent = [(old, new, other, after, proof), (old, new, before, other, proof)]
        bent += [(old, new, before, after, [*proof, other]), (new + 1, new, before, after, proof)]
        if proof:
            bent += [(old, new, before, after, proof[:-1]), (old, new, before, after, [other, *proof[1:]])]

        for case in bent:
            with pytest.raises(BadProof):
                merkle.verify_consistency(*case)

    def test_of_nothing_wants_the_empty_root(self):
        with pytest.raises(BadProof):
            merkle.verify_consistency(0, 5, leaf_hash(b""), reference.root(ENTRIES[:5]), [])
