"""Pairs in; out come samples: one face at one moment, as it was and as it was made, cut out alike.

A film is looked at in at most so many moments, and no picture of it is kept, only the squares in which faces
stand. Where a folder says whose a recording is, the largest face of each moment is that person's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Final

import av
import numpy as np

from anonymizer import AnonymizerError
from evaluation.comparison.reading import Film, kind_of, still
from evaluation.errors import EvaluationError
from evaluation.faces.finding import SAME_PLACE, FaceFinder, overlap
from evaluation.faces.pairing import Pairing, View
from evaluation.faces.persons import grouped
from evaluation.faces.recognizers import Pixels, Recognizer

OnProgress = Callable[[str, int, int], None]
"""A word for the stage, how much is done, and of how much; 0 where nobody knows."""

MOST_MOMENTS: Final = 60
LEAST_SECONDS_APART: Final = 0.2
MOST_SAMPLES: Final = 1_500


@dataclass(frozen=True)
class Sample:
    """One face at one moment.

    Attributes:
        source: which original it is from.
        person: whose it is.
        time: seconds from the beginning of a film; 0 in a still.
        width: pixels across, as it was found.
        chips: (side, side, 3) uint8 RGB by recognizer and view.
        detected: whether the detector finds a face in the result, there.
    """

    source: str
    person: str
    time: float
    width: float
    chips: Mapping[tuple[str, View], Pixels]
    detected: bool


@dataclass(frozen=True)
class Gathered:
    """All samples.

    Attributes:
        samples: in the order of the pairs and of time.
        pictures: how many were looked at.
        unreadable: pairs that could not be read or do not go together.
    """

    samples: tuple[Sample, ...]
    pictures: int
    unreadable: int


def gather(
    pairs: Sequence[Pairing],
    finder: FaceFinder,
    recognizers: Sequence[Recognizer],
    on_progress: OnProgress,
) -> Gathered:
    """Looks at every pair.

    Raises:
        EvaluationError: no_faces; where there is but one pair, also what is wrong with it.
    """
    samples: list[Sample] = []
    pictures = unreadable = 0
    for number, pair in enumerate(pairs):
        on_progress("faces", number, len(pairs))
        found: list[Sample] = []
        try:
            for time, views in _moments(pair):
                pictures += 1
                found += _samples(pair, time, views, finder, recognizers)
                if len(samples) + len(found) >= MOST_SAMPLES:
                    break
        except EvaluationError:
            if len(pairs) == 1:
                raise
            unreadable += 1
            continue
        samples += found
        if len(samples) >= MOST_SAMPLES:
            break
    on_progress("faces", len(pairs), len(pairs))
    if not samples:
        raise EvaluationError("no_faces")
    return Gathered(_named(samples, recognizers[0]), pictures, unreadable)


def _samples(
    pair: Pairing,
    time: float,
    views: Mapping[View, Pixels],
    finder: FaceFinder,
    recognizers: Sequence[Recognizer],
) -> Iterator[Sample]:
    boxes = finder.faces(views["original"])
    left = finder.faces(views["anonymized"]) if boxes else []
    for box in boxes[:1] if pair.person else boxes:
        chips: dict[tuple[str, View], Pixels] = {}
        for recognizer in recognizers:
            cut = recognizer.place(views["original"], box)
            if cut is not None:
                chips |= {(recognizer.name, view): cut(picture) for view, picture in views.items()}
        if len(chips) == len(recognizers) * len(views):
            detected = any(overlap(box, other) >= SAME_PLACE for other in left)
            yield Sample(pair.source, pair.person, time, box.width, chips, detected)


def _named(samples: list[Sample], recognizer: Recognizer) -> tuple[Sample, ...]:
    """Gives a name to whoever has none."""
    nameless = [place for place, sample in enumerate(samples) if not sample.person]
    if nameless:
        chips = [samples[place].chips[recognizer.name, "original"] for place in nameless]
        numbers = grouped(recognizer.vectors(chips), recognizer.same_above)
        for place, number in zip(nameless, numbers, strict=True):
            samples[place] = replace(samples[place], person=f"face {number + 1}")
    return tuple(samples)


def _moments(pair: Pairing) -> Iterator[tuple[float, Mapping[View, Pixels]]]:
    """Yields the pictures of one moment in all views, of as many moments as are looked at.

    Raises:
        EvaluationError: comparison_mismatch, media_unreadable, or one of the anonymizer's codes about media.
    """
    try:
        with ExitStack() as stack:
            streams = {view: stack.enter_context(path.open("rb")) for view, path in pair.paths.items()}
            kinds = {view: kind_of(stream) for view, stream in streams.items()}
            if len({kind.is_still for kind in kinds.values()}) > 1:
                raise EvaluationError("comparison_mismatch")
            if kinds["original"].is_still:
                pictures = {view: still(stream, kinds[view]) for view, stream in streams.items()}
                _require_one_size(pictures)
                yield 0.0, pictures
                return
            films = {
                view: stack.enter_context(closing(Film(stream, kinds[view])))
                for view, stream in streams.items()
            }
            yield from _film_moments(films)
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    except (av.FFmpegError, OSError):
        raise EvaluationError("media_unreadable") from None


def _film_moments(films: Mapping[View, Film]) -> Iterator[tuple[float, Mapping[View, Pixels]]]:
    every = max(1, films["original"].reader.frames_expected // MOST_MOMENTS)
    last = -np.inf
    for number, shown in enumerate(zip_longest(*(film.pictures() for film in films.values()))):
        if any(each is None for each in shown):
            raise EvaluationError("comparison_mismatch")
        time = float(shown[0].time)
        if number % every or time - last < LEAST_SECONDS_APART:
            continue
        last = time
        pictures = {view: each.pixels for view, each in zip(films, shown, strict=True)}
        _require_one_size(pictures)
        yield time, pictures


def _require_one_size(pictures: Mapping[View, Pixels]) -> None:
    if len({picture.shape for picture in pictures.values()}) > 1:
        raise EvaluationError("comparison_mismatch")


def chips_of(samples: Sequence[Sample], recognizer: Recognizer, view: View) -> list[Pixels]:
    """Returns the squares of samples, in their order, as one recognizer wants them."""
    return [sample.chips[recognizer.name, view] for sample in samples]


def has_view(samples: Sequence[Sample], recognizer: Recognizer, view: View) -> bool:
    """Tells whether every sample has a view."""
    return all((recognizer.name, view) in sample.chips for sample in samples)


def files_of(pairs: Sequence[Pairing]) -> list[Path]:
    """Returns every file that will be read, which nothing may overwrite."""
    return [path for pair in pairs for path in pair.paths.values()]
