"""The short run: every target, its seeds spoiled in many ways, and bytes out of nowhere.

The same inputs in every run, so that a red test is the change's fault; `make fuzz` draws new ones, and more.
"""

from __future__ import annotations

import json
import os
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.mutations import mutate
from tests.fuzz.target import Target, attempt
from tests.fuzz.targets import TARGETS

EXAMPLES = os.environ.get("BAUTA_FUZZ_EXAMPLES")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


def any_json() -> st.SearchStrategy[bytes]:
    """Sorted and without spaces, so that it is canonical where it can be."""
    return JSON.map(
        lambda value: json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    )


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Mostly seeds with damage."""
    nowhere = [st.binary(max_size=400), *([any_json()] if target.json else [])]
    return st.one_of(*[spoiled(target)] * 3, *nowhere)


def spoiled(target: Target) -> st.SearchStrategy[bytes]:
    """Seeds with damage. Hypothesis draws the random numbers, so it can make a finding small."""

    def spoil(drawn: tuple[bytes, Random]) -> bytes:
        return mutate(target, *drawn)

    seeds = st.sampled_from(target.seeds())
    return st.tuples(seeds, st.randoms(use_true_random=False)).map(spoil)


def check(target: Target, max_examples: int) -> None:
    """Runs one target."""

    @settings(
        max_examples=int(EXAMPLES or max_examples),
        derandomize=EXAMPLES is None,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def run(untrusted: bytes) -> None:
        attempt(target, untrusted)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_whatever_comes_is_read_or_refused(name: str) -> None:
    check(TARGETS[name], TARGETS[name].examples)
