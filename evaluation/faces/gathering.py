"""Pairs in; out come samples: one face at one moment, as it was and as it was made, cut out alike.

A film is looked at in at most so many moments, and no picture of it is kept, only the squares in which faces
stand. Where a folder says whose a recording is, the largest face of each moment is that person's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

import av
import numpy as np

from anonymizer import AnonymizerError
from evaluation.comparison.reading import Film, kind_of, still
from evaluation.errors import EvaluationError
from evaluation.faces.finding import Finder, still_there
from evaluation.faces.pairing import Pairing, View
from evaluation.faces.persons import grouped
from evaluation.faces.recognizers import Pixels, Recognizer

OnProgress = Callable[[str, int, int], None]
"""A word for the stage, how much is done, and of how much; 0 where nobody knows."""

MOST_MOMENTS: Final = 60
LEAST_SECONDS_APART: Final = 0.2
MOST_SAMPLES: Final = 1_500


@dataclass(frozen=True)
class Picture:
    """A picture at one moment.

    Attributes:
        pixels: (H, W, 3) uint8 RGB.
        before: the frame before it; None in a still, and at the beginning of a film.
    """

    pixels: Pixels
    before: Pixels | None


@dataclass(frozen=True)
class Moment:
    """One moment in all views, of one size.

    Attributes:
        time: seconds from the beginning; 0 in a still.
        views: its pictures.
    """

    time: float
    views: Mapping[View, Picture]


@dataclass(frozen=True)
class Sample:
    """One face at one moment.

    Attributes:
        source: which original it is from.
        person: whose it is.
        time: seconds from the beginning of a film; 0 in a still.
        width: pixels across, as it was found.
        chips: (side, side, 3) uint8 RGB by recognizer and view.
        seen: the detectors that find it in the original, one of them always.
        detected: those that find somebody in the result, there.
    """

    source: str
    person: str
    time: float
    width: float
    chips: Mapping[tuple[str, View], Pixels]
    seen: frozenset[str] = frozenset()
    detected: frozenset[str] = frozenset()


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
    finder: Finder,
    recognizers: Sequence[Recognizer],
    on_progress: OnProgress,
) -> Gathered:
    """Looks at every pair.

    Raises:
        EvaluationError: the finder's code for nobody; of a single pair also what is wrong with it.
    """
    samples: list[Sample] = []
    pictures = unreadable = 0
    for number, pair in enumerate(pairs):
        on_progress("faces", number, len(pairs))
        found: list[Sample] = []
        try:
            for moment in moments(pair):
                pictures += 1
                found += _samples(pair, moment, finder, recognizers)
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
        raise EvaluationError(finder.nobody)
    return Gathered(_named(samples, recognizers[0]), pictures, unreadable)


def _samples(
    pair: Pairing, moment: Moment, finder: Finder, recognizers: Sequence[Recognizer]
) -> Iterator[Sample]:
    views = {view: picture.pixels for view, picture in moment.views.items()}
    first, *others = finder.detectors
    boxes = finder.find(views["original"], first)
    if not boxes:
        return
    before = {first: boxes, **{name: finder.find(views["original"], name) for name in others}}
    after = {name: finder.find(views["anonymized"], name) for name in finder.detectors}
    for box in boxes[:1] if pair.person else boxes:
        chips: dict[tuple[str, View], Pixels] = {}
        for recognizer in recognizers:
            cut = recognizer.place(views["original"], box)
            if cut is not None:
                chips |= {(recognizer.name, view): cut(picture) for view, picture in views.items()}
        if len(chips) == len(recognizers) * len(views):
            there, left = (still_there(finder, box, found) for found in (before, after))
            yield Sample(pair.source, pair.person, moment.time, box.width, chips, there, left)


def _named(samples: list[Sample], recognizer: Recognizer) -> tuple[Sample, ...]:
    """Gives a name to whoever has none."""
    nameless = [place for place, sample in enumerate(samples) if not sample.person]
    if nameless:
        chips = [samples[place].chips[recognizer.name, "original"] for place in nameless]
        moments_of = [(samples[place].source, samples[place].time) for place in nameless]
        numbers = grouped(recognizer.vectors(chips), recognizer.same_above, moments_of)
        for place, number in zip(nameless, numbers, strict=True):
            samples[place] = replace(samples[place], person=f"somebody {number + 1}")
    return tuple(samples)


def moments(pair: Pairing) -> Iterator[Moment]:
    """Yields the moments of a recording that are looked at, in all views.

    Raises:
        EvaluationError: comparison_mismatch, media_unreadable, or one of the anonymizer's codes about media.
    """
    with readable(), ExitStack() as stack:
        streams = {view: stack.enter_context(path.open("rb")) for view, path in pair.paths.items()}
        kinds = {view: kind_of(stream) for view, stream in streams.items()}
        if len({kind.is_still for kind in kinds.values()}) > 1:
            raise EvaluationError("comparison_mismatch")
        if kinds["original"].is_still:
            stills = {view: still(stream, kinds[view]) for view, stream in streams.items()}
            yield _moment(0.0, stills, {})
            return
        opened = {
            view: stack.enter_context(closing(Film(stream, kinds[view]))) for view, stream in streams.items()
        }
        yield from _film_moments(opened)


def films(pair: Pairing) -> Iterator[Film]:
    """Yields a recording's original and its result, one after the other, open; nothing of a still.

    What goes wrong while they are decoded is for the caller to name (readable).

    Raises:
        EvaluationError: media_unreadable, or one of the anonymizer's codes about media.
    """
    views: tuple[View, ...] = ("original", "anonymized")
    for view in views:
        with readable(), pair.paths[view].open("rb") as stream:
            kind = kind_of(stream)
            if kind.is_still:
                return
            with closing(Film(stream, kind)) as film:
                yield film


@contextmanager
def readable() -> Iterator[None]:
    """Gives whatever cannot be read a code.

    Raises:
        EvaluationError: media_unreadable, or one of the anonymizer's codes.
    """
    try:
        yield
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    except (av.FFmpegError, OSError):
        raise EvaluationError("media_unreadable") from None


def _film_moments(films: Mapping[View, Film]) -> Iterator[Moment]:
    every = max(1, films["original"].reader.frames_expected // MOST_MOMENTS)
    last = -np.inf
    before: Mapping[View, Pixels] = {}
    for number, shown in enumerate(zip_longest(*(film.pictures() for film in films.values()))):
        if any(each is None for each in shown):
            raise EvaluationError("comparison_mismatch")
        pictures = {view: each.pixels for view, each in zip(films, shown, strict=True)}
        time = float(shown[0].time)
        if number % every == 0 and time - last >= LEAST_SECONDS_APART:
            last = time
            yield _moment(time, pictures, before)
        before = pictures


def _moment(time: float, pictures: Mapping[View, Pixels], before: Mapping[View, Pixels]) -> Moment:
    if len({picture.shape for picture in pictures.values()}) > 1:
        raise EvaluationError("comparison_mismatch")
    return Moment(time, {view: Picture(pixels, before.get(view)) for view, pixels in pictures.items()})


def chips_of(samples: Sequence[Sample], recognizer: Recognizer, view: View) -> list[Pixels]:
    """Returns the squares of samples, in their order, as one recognizer wants them."""
    return [sample.chips[recognizer.name, view] for sample in samples]


def has_view(samples: Sequence[Sample], recognizer: Recognizer, view: View) -> bool:
    """Tells whether every sample has a view."""
    return all((recognizer.name, view) in sample.chips for sample in samples)
