"""Somebody with every byte that a log ever published, and everything there is to know about the jobs besides.

Everything: originals, results, sealed uploads, file names, sizes, who submitted what, policies, terms, and
even what each statement says, to the second. What this attacker does not have is a proof file, a salt, and a
private key. Every attack gives a figure or a list, so that a test can also show that it succeeds where it
should.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from provenance import canonical
from provenance.checkpoint import Checkpoint
from provenance.dsse import PAYLOAD_TYPE, pae
from provenance.encoding import base64_text
from provenance.merkle import leaf_hash
from provenance.tiles.files import StaticFiles
from provenance.tiles.layout import Tile

WINDOW_BYTES = 8
_HEX = re.compile(rb"[0-9a-fA-F]{16,}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")
# An ML-DSA-44 signature ends in its hint: zeros, then four small counts (FIPS 204, algorithm 20). Read as an
# integer of 64 bits they are some size between 100 and 4,000 every other time.
_COSIGNATURE_BYTES, _HINT_BYTES = 4 + 8 + 2420, 84
_HASHES = ("sha256", "sha512", "sha3_256", "blake2b", "sha1", "md5")


@dataclass(frozen=True)
class KnownJob:
    """What the attacker knows of one job.

    Attributes:
        items: by name; bytes that a careless log could have hashed: the original, a file name, a size, …
        payloads: what its statements say, exactly, without their signatures.
        groups: what it has in common with other jobs, by name: the same submitter, original, policy.
    """

    items: Mapping[str, bytes]
    payloads: Sequence[bytes]
    groups: Mapping[str, str]


@dataclass(frozen=True)
class Seen:
    """One entry as a reader of the log sees it.

    Attributes:
        index: its place.
        kind: its word.
        digest: 32 bytes.
        raw: the entry itself.
    """

    index: int
    kind: str
    digest: bytes
    raw: bytes


class Attacker:
    """Works on the published bytes of one log.

    Args:
        files: every static file, by path; those that were replaced too, if somebody kept them.
        heads: every checkpoint.
        secretless_keys: public values that a careless log could have used as a key.
    """

    def __init__(
        self, files: Mapping[str, bytes], heads: Sequence[Checkpoint], secretless_keys: Sequence[bytes] = ()
    ) -> None:
        self.entries = list(_entries(files, max(head.size for head in heads)))
        self.heads = sorted(heads, key=lambda head: head.size)
        self._text = b"\n".join(entry.raw for entry in self.entries)
        self._windows = _windows(files.values())
        self._keys = (b"", bytes(16), bytes(32), b"bauta", *secretless_keys)

    def look_up(self, job: KnownJob) -> list[str]:
        """Which of a job's items, in which disguise, occur anywhere in the log; by name."""
        found = []
        for name, item in job.items.items():
            # A short item occurs by chance in hashes and signatures, but no name in an entry's text.
            is_word = item.isalpha() and item in self._text
            if is_word or (len(item) >= WINDOW_BYTES and item[:WINDOW_BYTES] in self._windows):
                found.append(f"{name} itself")
        return found + [
            name for name, guess in _guesses(job, self._keys) if guess[:WINDOW_BYTES] in self._windows
        ]

    def look_up_all(self, jobs: Iterable[KnownJob]) -> list[str]:
        """What was found of any job."""
        return [found for job in jobs for found in self.look_up(job)]

    def find(self, envelope_sha256: bytes) -> list[Seen]:
        """What the holder of a proof file can do: finds its entry."""
        return [entry for entry in self.entries if entry.digest == envelope_sha256]

    def size_correlation(self, sized: Mapping[int, int]) -> float:
        """The strongest rank correlation of sizes with any byte or the length of their entries.

        An oracle told which entry belongs to which size: even so, an entry should say nothing of it.

        Args:
            sized: size by index of the entry.
        """
        entries = [self.entries[index] for index in sized]
        sizes = [float(size) for size in sized.values()]
        readings = [[float(entry.digest[place]) for entry in entries] for place in range(32)]
        readings.append([float(len(entry.raw)) for entry in entries])
        readings.append([float(int.from_bytes(entry.digest[:8], "big")) for entry in entries])
        return max(abs(_rank_correlation(reading, sizes)) for reading in readings)

    def likeness(self, pairs: Iterable[tuple[int, int]]) -> float:
        """How many of 256 bits two entries share on average: 128 where they have nothing in common.

        Args:
            pairs: indices of entries that an oracle told to be of one person, file or policy.
        """
        shared = [
            256
            - (
                int.from_bytes(self.entries[a].digest, "big") ^ int.from_bytes(self.entries[b].digest, "big")
            ).bit_count()
            for a, b in pairs
        ]
        return sum(shared) / len(shared)

    def appeared(self, index: int) -> int:
        """The second at which an entry was first under a checkpoint; the log's clock says so to everybody."""
        return next(head.signed_at for head in self.heads if head.size > index)


def published(files: StaticFiles) -> dict[str, bytes]:
    """Every static file, by path."""
    return {path: content for path in files.paths() if (content := files.read(path)) is not None}


def _entries(files: Mapping[str, bytes], size: int) -> Iterator[Seen]:
    index = 0
    while index < size:
        rest = files[Tile(None, index // 256, min(256, size - index)).path]
        while rest:
            length = int.from_bytes(rest[:2], "big")
            raw, rest = rest[2 : 2 + length], rest[2 + length :]
            content = json.loads(raw)
            yield Seen(index, content["kind"], bytes.fromhex(content["sha256"]), raw)
            index += 1


def _windows(contents: Iterable[bytes]) -> set[bytes]:
    """Every 8 bytes in a row, as they lie there and behind hex and base64."""
    found: set[bytes] = set()
    for content in contents:
        decoded = [bytes.fromhex(run[: len(run) & ~1].decode()) for run in _HEX.findall(content)]
        decoded += [base64.b64decode(run[: len(run) & ~3]) for run in _BASE64.findall(content)]
        for text in (content, *map(_without_hint, decoded)):
            found.update(text[at : at + WINDOW_BYTES] for at in range(len(text) - WINDOW_BYTES + 1))
    return found


def _without_hint(decoded: bytes) -> bytes:
    return decoded[:-_HINT_BYTES] if len(decoded) == _COSIGNATURE_BYTES else decoded


def _guesses(job: KnownJob, keys: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """Whatever a careless log could have made of what is known."""
    for name, item in job.items.items():
        for algorithm in _HASHES:
            digest = hashlib.new(algorithm, item).digest()
            yield f"{algorithm} of {name}", digest
        sha256 = hashlib.sha256(item).digest()
        for form, text in _forms(sha256):
            yield f"sha256 of the {form} of the sha256 of {name}", hashlib.sha256(text).digest()
        yield f"leaf hash of {name}", leaf_hash(item)
        yield f"sha256 of {name} as canonical JSON", hashlib.sha256(_as_json(item)).digest()
        for key in keys:
            yield f"HMAC of {name} under a public key", hmac.digest(key, item, "sha256")
        yield f"HMAC of {name} under itself", hmac.digest(sha256, item, "sha256")
    for number, payload in enumerate(job.payloads):
        name = f"statement {number} without its signatures"
        unsigned = {"payload": base64_text(payload), "payloadType": PAYLOAD_TYPE, "signatures": []}
        for text in (payload, pae(PAYLOAD_TYPE, payload), canonical.dumps(unsigned)):
            yield name, hashlib.sha256(text).digest()
            yield name, leaf_hash(text)
            for key in keys:
                yield name, hmac.digest(key, text, "sha256")


def _forms(digest: bytes) -> Iterator[tuple[str, bytes]]:
    yield "bytes", digest
    yield "hex", digest.hex().encode()
    yield "HEX", digest.hex().upper().encode()
    yield "base64", base64.b64encode(digest)
    yield "JSON", canonical.dumps({"sha256": digest.hex()})


def _as_json(item: bytes) -> bytes:
    try:
        return canonical.dumps(item.decode("utf-8"))
    except UnicodeDecodeError:
        return canonical.dumps(base64_text(item))


def _rank_correlation(left: Sequence[float], right: Sequence[float]) -> float:
    """Spearman's, with the mean rank for what is equal; 0 where one side does not vary."""
    a, b = _ranks(left), _ranks(right)
    mean = (len(a) - 1) / 2
    above = sum((x - mean) * (y - mean) for x, y in zip(a, b, strict=True))
    below = sum((x - mean) ** 2 for x in a) * sum((y - mean) ** 2 for y in b)
    return 0.0 if below == 0 else float(above / below**0.5)


def _ranks(values: Sequence[float]) -> list[float]:
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            ranks[place] = (first + last) / 2
        first = last + 1
    return ranks
