"""From what was heard to turns: speakers out of windows, and a speaker for each moment of speech."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.speakers.activity import CHUNK
from anonymizer.speakers.clustering import Labels, clustered, joined
from anonymizer.speakers.encoder import normed
from anonymizer.speakers.mel import RATE
from anonymizer.speakers.turns import MOST_SPEAKERS, MOST_TURNS, Turn, Turns

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

WINDOW_SECONDS: Final = 1.6
STEP_SECONDS: Final = 0.5
CHUNK_MS: Final = CHUNK * 1000 // RATE

# Speech begins with the first probability and goes on to the second (silero-vad's own defaults).
BEGINS, GOES_ON = 0.5, 0.35
# A pause as short as this is none: chunks, 0.3 s.
_SHORT_PAUSE: Final = 9
# Less of it is no speech: chunks, 0.1 s.
_LEAST_SPEECH: Final = 3
# A window tells a voice if so much of it is speech.
_TELLS: Final = 0.6
ALIKE: Final = 0.64
"""Voices as like as this, on the mean, are one speaker's."""
ALIKE_ON_THE_WHOLE: Final = 0.82
"""Speakers whose mean voices are as like as this are one."""
# A speaker is heard in so many windows: else they are another's, spoiled by noise or by a change.
_LEAST_WINDOWS: Final = 2
# What it costs to change the speaker, in cosines of a chunk; in a pause less.
_CHANGE, _CHANGE_IN_PAUSE = 1.5, 0.3
# Windows in which two speak make speakers of their own. So it is done again with those that turned out to
# hold one only: so many times in all, and so much of their speech.
_ROUNDS: Final = 3
_OF_ONE: Final = 0.95
SURE: Final = 0.80
"""A window less like its speaker than this may hold another voice."""
SURE_BY: Final = 0.05
"""How much more like its speaker than like any other a window must be."""
# Windows with their middle so near a moment speak for it being sure, seconds.
_NEAR: Final = 0.5
# A shorter sure stretch is none, chunks.
_LEAST_SURE: Final = 15


@dataclass(frozen=True)
class Heard:
    """What is left of a recording.

    Attributes:
        speech: for each chunk of 32 ms, how probable speech is.
        voices: (N, 256) for each window of 1.6 s, every 0.5 s.
        samples: how long it is, at 16 kHz.
    """

    speech: FloatArray = field(repr=False)
    voices: FloatArray = field(repr=False)
    samples: int


def turns_of(heard: Heard) -> Turns:
    """Tells who speaks when.

    Raises:
        AnonymizerError: media_too_long.
    """
    seconds = math.ceil(heard.samples * 1000 / RATE) / 1000
    is_speech = spoken(heard.speech)
    if not is_speech.any() or not len(heard.voices):
        return Turns((), seconds)
    share = _share(is_speech, len(heard.voices))
    tells = share >= min(_TELLS, float(share.max()))
    of_one = tells
    for _ in range(_ROUNDS):
        likeness = heard.voices @ _speakers(heard.voices[of_one]).T
        spoken_by = _labels(likeness, share, is_speech)
        alone = [_share(is_speech & (spoken_by == number), len(share)) for number in range(likeness.shape[1])]
        of_one = tells & (np.max(alone, axis=0) >= _OF_ONE * share)
        if not of_one.any():
            break
    sure = _sure(likeness, share >= _TELLS, spoken_by)
    turns = tuple(_turns(is_speech, spoken_by, sure, seconds))
    if len(turns) > MOST_TURNS:
        raise AnonymizerError("media_too_long")
    return Turns(turns, seconds)


def spoken(probabilities: FloatArray) -> Mask:
    """Says of each chunk whether it is within speech."""
    is_speech = np.zeros(len(probabilities), bool)
    for begin, end in runs(probabilities >= GOES_ON):
        is_speech[begin:end] = (probabilities[begin:end] >= BEGINS).any()
    for begin, end in runs(~is_speech):
        if begin > 0 and end < len(is_speech) and end - begin <= _SHORT_PAUSE:
            is_speech[begin:end] = True
    for begin, end in runs(is_speech):
        if end - begin < _LEAST_SPEECH:
            is_speech[begin:end] = False
    return is_speech


def runs(mask: Mask) -> list[tuple[int, int]]:
    """Gives the stretches in which a mask is true: first place, and first place behind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _share(of_chunks: Mask, windows: int) -> FloatArray:
    """Says how much of each window some chunks are, 0 to 1."""
    before = np.concatenate([[0], np.cumsum(of_chunks)])
    begins = np.arange(windows) * STEP_SECONDS * 1000 / CHUNK_MS
    ends = begins + WINDOW_SECONDS * 1000 / CHUNK_MS
    first, last = (np.minimum(np.rint(edge).astype(int), len(of_chunks)) for edge in (begins, ends))
    share: FloatArray = ((before[last] - before[first]) * CHUNK_MS / 1000 / WINDOW_SECONDS).astype(np.float32)
    return share


def _speakers(voices: FloatArray) -> FloatArray:
    """Gives the mean voice of each speaker."""
    labels = clustered(voices, ALIKE, MOST_SPEAKERS)
    counts = np.bincount(labels)
    enough = np.flatnonzero(counts >= min(_LEAST_WINDOWS, counts.max()))
    means = normed(np.stack([voices[labels == number].sum(axis=0) for number in enough]))
    # What is between windows of one voice is noise, and means have less of it.
    one = joined(means, np.ones(len(means)), ALIKE_ON_THE_WHOLE, MOST_SPEAKERS)
    totals = counts[enough, None] * means
    return normed(np.stack([totals[one == number].sum(axis=0) for number in range(one.max() + 1)]))


def _labels(likeness: FloatArray, share: FloatArray, is_speech: Mask) -> Labels:
    """Gives each chunk a speaker: the likeliest row of them (Viterbi, 1967), where a change has a cost."""
    chunks, speakers = len(is_speech), likeness.shape[1]
    middles = np.arange(len(likeness)) * STEP_SECONDS + WINDOW_SECONDS / 2
    times = (np.arange(chunks) + 0.5) * CHUNK_MS / 1000
    weights, scores = np.full(chunks, 1e-6), np.zeros((chunks, speakers))
    nearest = np.clip(np.rint((times - WINDOW_SECONDS / 2) / STEP_SECONDS).astype(int), 0, len(likeness) - 1)
    for offset in (-1, 0, 1):
        window = np.clip(nearest + offset, 0, len(likeness) - 1)
        weight = np.maximum(0.0, 1 - np.abs(times - middles[window]) / (WINDOW_SECONDS / 2)) ** 2
        weight = (weight + 1e-3) * (share[window] + 1e-3)
        weights += weight
        scores += weight[:, None] * likeness[window]
    scores /= weights[:, None]
    scores[~is_speech] = 0
    came_from = np.zeros((chunks, speakers), np.uint8)
    total = scores[0].copy()
    for chunk in range(1, chunks):
        cost = _CHANGE if is_speech[chunk] else _CHANGE_IN_PAUSE
        best = int(total.argmax())
        changes = total < total[best] - cost
        came_from[chunk] = np.where(changes, best, np.arange(speakers))
        total = np.where(changes, total[best] - cost, total) + scores[chunk]
    labels = np.zeros(chunks, np.intp)
    labels[-1] = total.argmax()
    for chunk in range(chunks - 1, 0, -1):
        labels[chunk - 1] = came_from[chunk, labels[chunk]]
    return labels


def _sure(likeness: FloatArray, tells: Mask, spoken_by: Labels) -> Mask:
    """Says of each chunk whether every window near it sounds like its speaker, and like no other."""
    times = (np.arange(len(spoken_by)) + 0.5) * CHUNK_MS / 1000
    first = np.ceil((times - _NEAR - WINDOW_SECONDS / 2) / STEP_SECONDS).astype(int)
    first = np.minimum(first, len(likeness) - 1)
    sure = np.ones(len(spoken_by), bool)
    asked = np.zeros(len(spoken_by), bool)
    for offset in range(math.ceil(2 * _NEAR / STEP_SECONDS) + 1):
        window = first + offset
        away = window * STEP_SECONDS + WINDOW_SECONDS / 2 - times
        is_near = (np.abs(away) <= _NEAR) & (window >= 0) & (window < len(likeness))
        # Before the middle of the first window and behind that of the last there is no other.
        is_near |= (window == 0) & (away > 0) | (window == len(likeness) - 1) & (away < 0)
        window = np.clip(window, 0, len(likeness) - 1)
        others = likeness[window]
        own = np.take_along_axis(others, spoken_by[:, None], axis=1)[:, 0]
        np.put_along_axis(others, spoken_by[:, None], -1.0, axis=1)
        fits = tells[window] & (own >= SURE) & (own - others.max(axis=1) >= SURE_BY)
        sure &= fits | ~is_near
        asked |= is_near
    return sure & asked


def _turns(is_speech: Mask, spoken_by: Labels, sure: Mask, seconds: float) -> Iterator[Turn]:
    numbers: dict[int, int] = {}
    for begin, end in runs(is_speech):
        for first, behind in _stretches(spoken_by, begin, end):
            speaker = numbers.setdefault(int(spoken_by[first]), len(numbers))
            # What is sure for a moment only is sure of nothing.
            lasting = np.zeros(behind - first, bool)
            for sure_from, sure_to in runs(sure[first:behind]):
                lasting[sure_from:sure_to] = sure_to - sure_from >= _LEAST_SURE
            for left, right in _stretches(lasting, 0, behind - first):
                from_ms, to_ms = (first + left) * CHUNK_MS, (first + right) * CHUNK_MS
                to_seconds = min(to_ms / 1000, seconds)
                if from_ms / 1000 < to_seconds:
                    yield Turn(from_ms / 1000, to_seconds, speaker, bool(lasting[left]))


def _stretches(values: Labels | Mask, begin: int, end: int) -> list[tuple[int, int]]:
    """Gives the stretches of equal values within a part: first place, and first place behind."""
    changes = begin + 1 + np.flatnonzero(np.diff(values[begin:end]))
    edges = [begin, *changes.tolist(), end]
    return list(itertools.pairwise(edges))
