"""Signers that keep seeds: they sign as the others do, and between two signatures nothing can be read."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from keyvault.signing.slhdsa import SigningKeyError, SlhDsaKey
from keyvault.vault.memory import Secret, memory_protection
from keyvault.vault.pages import Protection
from keyvault.vault.seeds import SeededLogSigner, SeededSigner
from provenance.checkpoint import CheckpointText
from provenance.keys import ED25519, MLDSA65, SLHDSA128S

# A heap that many tests share grows to hundreds of megabytes; what is larger is only reserved.
_MOST_BYTES, _PIECE_BYTES = 1 << 30, 64 << 20


def kept(secret: bytes) -> Secret:
    return Secret.moved_from(bytearray(secret))


def test_it_signs_what_a_signer_of_the_same_seeds_signs() -> None:
    seeds, third = [secrets.token_bytes(32) for _ in range(2)], SlhDsaKey.generate()
    ordinary = HybridSigner.from_seeds(*seeds, third)
    seeded = SeededSigner(*map(kept, seeds), kept(bytes(third.private_bytes())))
    assert seeded.public == ordinary.public
    # Ed25519 gives the same bytes each time; the others draw randomness.
    assert seeded.sign(b"message", (ED25519,)) == ordinary.sign(b"message", (ED25519,))
    signed = seeded.sign(b"message", (ED25519, MLDSA65, SLHDSA128S))
    assert [one.key_id for one in signed] == list(ordinary.public.key_ids)
    with pytest.raises(SigningKeyError):
        seeded.sign(b"message", ("rsa",))
    assert repr(seeded) == repr(ordinary)


def test_the_log_is_the_same_log() -> None:
    origin, seeds = "bauta.log/test", [secrets.token_bytes(32) for _ in range(2)]
    ordinary, seeded = LogSigner.from_seeds(origin, *seeds), SeededLogSigner(origin, *map(kept, seeds))
    assert (seeded.origin, seeded.vkeys) == (ordinary.origin, ordinary.vkeys)
    text = CheckpointText(origin, 1, bytes(32)).to_bytes()
    signed, expected = (signer.sign_checkpoint(text, 1_800_000_000) for signer in (seeded, ordinary))
    # The ML-DSA line is randomized; text and Ed25519 line are not.
    assert signed.splitlines()[:-1] == expected.splitlines()[:-1]


def test_between_two_signatures_the_seeds_are_nowhere_to_be_read() -> None:
    if memory_protection() != Protection.SECRETMEM:
        pytest.skip("this kernel gives no memfd_secret")
    seeds = [Secret.random(32) for _ in range(4)]
    node = SeededSigner(seeds[0], seeds[1], kept(bytes(SlhDsaKey.generate().private_bytes())))
    log = SeededLogSigner("bauta.log/test", seeds[2], seeds[3])
    for number in range(3):
        node.sign(b"message")
        log.sign_checkpoint(CheckpointText("bauta.log/test", number + 1, bytes(32)).to_bytes(), 1_800_000_000)
    kept_key = HybridSigner.from_seeds(seeds[0].view, seeds[1].view)
    # What is looked for must not be found in the looking itself: the needles are masked, a child looks.
    mask = secrets.token_bytes(32)
    masked = [bytes(a ^ b for a, b in zip(seed.view, mask, strict=True)) for seed in seeds]
    assert min(_readable_copies(masked, mask)[:2]) >= 1, (
        "the control: a key object that lives shows its seeds"
    )
    del kept_key
    assert _readable_copies(masked, mask) == [0, 0, 0, 0]


def _readable_copies(masked: list[bytes], mask: bytes) -> list[int]:
    """How often each seed is found, looked for by a child: what is read while looking stays in the reader."""
    answer, result = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(result, bytes(min(count, 255) for count in _copies_in_own_memory(masked, mask)))
        finally:
            os._exit(0)
    os.close(result)
    with os.fdopen(answer, "rb") as read:
        counts = list(read.read())
    os.waitpid(child, 0)
    assert len(counts) == len(masked), "the child that looks has looked to the end"
    return counts


def _copies_in_own_memory(masked: list[bytes], mask: bytes) -> list[int]:
    """How often each seed is found where its first four bytes are, in what this process can read."""
    first = {bytes(a ^ b for a, b in zip(one[:4], mask, strict=False)): n for n, one in enumerate(masked)}
    pattern, counts = re.compile(b"|".join(map(re.escape, first)), re.DOTALL), [0] * len(masked)
    with Path("/proc/self/mem").open("rb", buffering=0) as memory:
        for line in Path("/proc/self/maps").read_text().splitlines():
            words = line.split()
            start, end = (int(part, 16) for part in words[0].split("-"))
            if not words[1].startswith("rw") or "secretmem" in line or end - start > _MOST_BYTES:
                continue
            for at in range(start, end, _PIECE_BYTES):
                for found, place in _places(memory.fileno(), at, min(at + _PIECE_BYTES + 31, end), pattern):
                    if bytes(a ^ b for a, b in zip(place, mask, strict=False)) == masked[first[found]]:
                        counts[first[found]] += 1
    return counts


def _places(memory: int, start: int, end: int, pattern: re.Pattern[bytes]) -> Iterator[tuple[bytes, bytes]]:
    try:
        content = os.pread(memory, end - start, start)
    except OSError:
        # Given back to the system since the list of the maps was made, and by that.
        return
    for match in pattern.finditer(content):
        yield match.group(), content[match.start() : match.start() + 32]
