"""Turns of speech as bytes: whole milliseconds, exact.

4-byte little-endian numbers: how long the recording is; then for each turn its begin, its end, its speaker,
and 1 where that is sure, else 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from anonymizer.errors import AnonymizerError
from anonymizer.speakers.turns import MOST_TURNS, Turn, Turns

_COLUMNS: Final = 4
_NUMBER: Final = "<u4"
_THOUSAND: Final = 1000


def packed_turns(turns: Turns) -> bytes:
    """Gives the bytes."""
    rows = [
        [_milliseconds(turn.begin), _milliseconds(turn.end), turn.speaker, int(turn.sure)]
        for turn in turns.turns
    ]
    numbers = [_milliseconds(turns.seconds), *(number for row in rows for number in row)]
    return np.array(numbers, _NUMBER).tobytes()


def parse_turns(untrusted: bytes) -> Turns:
    """Undoes `packed_turns`.

    Raises:
        AnonymizerError: record_refused.
    """
    size = np.dtype(_NUMBER).itemsize
    count, rest = divmod(len(untrusted) - size, _COLUMNS * size)
    if rest or not 0 <= count <= MOST_TURNS:
        raise AnonymizerError("record_refused")
    length, *numbers = np.frombuffer(untrusted, _NUMBER).tolist()
    rows = [numbers[place : place + _COLUMNS] for place in range(0, len(numbers), _COLUMNS)]
    if any(sure > 1 for *_, sure in rows):
        raise AnonymizerError("record_refused")
    return Turns(
        tuple(
            Turn(begin / _THOUSAND, end / _THOUSAND, speaker, bool(sure))
            for begin, end, speaker, sure in rows
        ),
        length / _THOUSAND,
    )


def _milliseconds(seconds: float) -> int:
    return round(seconds * _THOUSAND)
