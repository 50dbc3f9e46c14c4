"""Merkle proofs of numbers and hashes that nobody made: none of them leads to a root by chance."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import ProvenanceError
from provenance.merkle import verify_consistency, verify_inclusion

HASHES = st.lists(st.binary(min_size=32, max_size=32), max_size=66)
NUMBERS = st.integers(-2, 1 << 64)


@settings(max_examples=300, deadline=None)
@given(NUMBERS, NUMBERS, HASHES, st.binary(min_size=32, max_size=32))
def test_no_merkle_proof_is_found_by_chance(
    first: int, second: int, hashes: list[bytes], node: bytes
) -> None:
    root = hashlib.sha256(b"a root that nobody can aim at").digest()
    with pytest.raises(ProvenanceError):
        verify_inclusion(node, first, second, hashes, root)
    with pytest.raises(ProvenanceError):
        verify_consistency(first, second, hashes, node, root)
