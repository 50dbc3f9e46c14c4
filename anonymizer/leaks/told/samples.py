"""Where coded pictures and sound lie in an MP4, and what lies between them (ISO/IEC 14496-12, 8.7)."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.leaks.told.boxes import Place

# Eight times the pictures of the longest video that is taken.
MOST_SAMPLES: Final = 8_000_000

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Coded pictures, or pieces of sound, in order.

    Attributes:
        begins: of each, in bytes from the start of the file.
        sizes: of each, in bytes.
    """

    begins: Integers
    sizes: Integers


def samples_of(untrusted_tables: Mapping[bytes, bytes]) -> Samples:
    """Says where the samples of a track lie.

    Args:
        untrusted_tables: the bodies of its sample tables, by name.

    Raises:
        AnonymizerError: result_unreadable.
    """
    try:
        return _samples_of(untrusted_tables)
    except (KeyError, ValueError, struct.error):
        raise AnonymizerError("result_unreadable") from None


def unused_stretches(samples: Sequence[Samples], data: Place) -> int:
    """Counts the stretches of a box of sample data in which no sample lies.

    Raises:
        AnonymizerError: result_unreadable, where samples overlap or lie elsewhere.
    """
    begins = np.concatenate([np.zeros(0, np.int64), *(each.begins for each in samples)])
    sizes = np.concatenate([np.zeros(0, np.int64), *(each.sizes for each in samples)])
    order = np.lexsort((sizes, begins))
    begins, ends = begins[order], (begins + sizes)[order]
    before = np.concatenate([[data.begins], ends])
    after = np.concatenate([begins, [data.ends]])
    if (after < before).any():
        raise AnonymizerError("result_unreadable")
    return int((after > before).sum())


def _samples_of(untrusted_tables: Mapping[bytes, bytes]) -> Samples:
    one_size, count = struct.unpack_from(">II", untrusted_tables[b"stsz"], 4)
    if count > MOST_SAMPLES:
        raise ValueError("too many samples")
    if one_size:
        sizes = np.full(count, one_size, np.int64)
    else:
        sizes = np.frombuffer(untrusted_tables[b"stsz"], ">u4", count, 12).astype(np.int64)
    wide = b"co64" in untrusted_tables
    table = untrusted_tables[b"co64" if wide else b"stco"]
    (chunks,) = struct.unpack_from(">I", table, 4)
    begins = np.frombuffer(table, ">u8" if wide else ">u4", chunks, 8).astype(np.int64)
    in_chunk = _samples_in_chunks(untrusted_tables[b"stsc"], chunks)
    if (begins < 0).any() or int(in_chunk.sum()) != count:
        raise ValueError("chunks and samples differ")
    # Within a chunk, samples follow each other.
    so_far = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    firsts = so_far[np.cumsum(in_chunk) - in_chunk]
    return Samples(np.repeat(begins - firsts, in_chunk) + so_far[:-1], sizes)


def _samples_in_chunks(untrusted_table: bytes, chunks: int) -> Integers:
    """Gives how many samples each chunk holds."""
    (runs,) = struct.unpack_from(">I", untrusted_table, 4)
    entries = np.frombuffer(untrusted_table, ">u4", 3 * runs, 8).astype(np.int64).reshape(-1, 3)
    firsts, counts, described = entries.T
    lengths = np.diff(firsts, append=chunks + 1)
    holds = (described == 1).all() and (lengths > 0).all() and (counts <= MOST_SAMPLES).all()
    if not holds or (firsts[0] if runs else chunks + 1) != 1:
        raise ValueError("chunks are missing")
    return np.repeat(counts, lengths)
