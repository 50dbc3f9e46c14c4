"""Derived keys on their way: of use to one worker, for one job, and only from who has its file key."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from keyvault.derived import (
    PURPOSES,
    Binding,
    KeyName,
    open_derived_key,
    persona_key_of,
    record_key_of,
    seal_derived_key,
)
from keyvault.release import OneJobKey, ReleaseKeyError, ReleaseSealError, seal_to_one_job_key

KEY = bytes(range(32))
NAME = persona_key_of("the harbour")
BINDING = Binding(b"j" * 16, b"an age header", b"f" * 16)


@pytest.fixture(scope="module")
def worker() -> OneJobKey:
    return OneJobKey.generate()


@pytest.fixture(scope="module")
def sealed(worker: OneJobKey) -> bytes:
    return seal_derived_key(memoryview(KEY), worker.public_key, BINDING, NAME)


def test_the_worker_that_asked_opens_it(worker: OneJobKey, sealed: bytes) -> None:
    assert open_derived_key(sealed, worker, BINDING, NAME) == KEY
    assert KEY not in sealed


OTHERS: dict[str, tuple[Binding, KeyName]] = {
    "another job": (replace(BINDING, job_id=b"k" * 16), NAME),
    "another upload": (replace(BINDING, age_header=b"another header"), NAME),
    "another file key": (replace(BINDING, file_key=b"g" * 16), NAME),
    "another scope": (BINDING, persona_key_of("the mainland")),
    "another purpose": (BINDING, replace(NAME, purpose="record")),
}


@pytest.mark.parametrize(("binding", "name"), OTHERS.values(), ids=OTHERS)
def test_it_is_of_no_use_for(binding: Binding, name: KeyName, worker: OneJobKey, sealed: bytes) -> None:
    with pytest.raises(ReleaseSealError):
        open_derived_key(sealed, worker, binding, name)


def test_another_worker_does_not_open_it(sealed: bytes) -> None:
    with pytest.raises(ReleaseSealError):
        open_derived_key(sealed, OneJobKey.generate(), BINDING, NAME)


@pytest.mark.parametrize("place", [0, 1_087, 1_100, -40, -1])
def test_a_changed_byte_is_found(place: int, worker: OneJobKey, sealed: bytes) -> None:
    broken = bytearray(sealed)
    broken[place] ^= 1
    for untrusted in (bytes(broken), sealed[:place], b""):
        with pytest.raises(ReleaseSealError):
            open_derived_key(untrusted, worker, BINDING, NAME)


def test_whoever_lacks_the_file_key_cannot_put_a_key_of_its_own_there(worker: OneJobKey) -> None:
    """The one-job key is public: without the binding anyone could choose what every persona comes from."""
    for guess in (b"", bytes(16), b"F" * 16):
        forged = seal_derived_key(memoryview(KEY), worker.public_key, replace(BINDING, file_key=guess), NAME)
        with pytest.raises(ReleaseSealError):
            open_derived_key(forged, worker, BINDING, NAME)


def test_a_key_of_another_length_is_none(worker: OneJobKey) -> None:
    forged = seal_to_one_job_key(KEY[:31], worker.public_key, BINDING.info(NAME))
    with pytest.raises(ReleaseSealError):
        open_derived_key(forged, worker, BINDING, NAME)


def test_what_is_no_key_is_sealed_to_nobody() -> None:
    with pytest.raises(ReleaseKeyError):
        seal_derived_key(memoryview(KEY), b"no key", BINDING, NAME)


def test_no_two_names_are_derived_alike() -> None:
    names = [
        persona_key_of("a"),
        persona_key_of("b"),
        persona_key_of("a\0b"),
        record_key_of(b"a"),
        record_key_of(b"b"),
        *(KeyName(purpose, bytes(32)) for purpose in PURPOSES),
    ]
    assert all(first.info != second.info for first, second in combinations(names, 2))


@pytest.mark.parametrize(
    ("purpose", "context"),
    [("", KEY), ("persona ", KEY), ("file", KEY), ("PERSONA", KEY), ("persona", b""), ("persona", KEY[:31])],
)
def test_there_is_no_other_key(purpose: str, context: bytes) -> None:
    with pytest.raises(ValueError, match="no such derived key"):
        KeyName(purpose, context)


def test_no_repr_tells_a_key_or_a_context() -> None:
    shown = repr(BINDING) + repr(NAME)
    for secret in (BINDING.age_header, bytes(BINDING.file_key), NAME.context):
        assert repr(secret)[2:-1] not in shown
