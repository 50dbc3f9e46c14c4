"""The whole way of an evaluation: two files or two folders in, everything that was found out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.figures.attacked import Figure, figures_of
from evaluation.figures.discriminant import learn
from evaluation.figures.resampling import mean_by_person
from evaluation.voice.acoustics import acoustics
from evaluation.voice.attackers import Voices, score
from evaluation.voice.findings import Tried, VoiceFindings, WordsKept
from evaluation.voice.keeping import Pair, words_kept
from evaluation.voice.listening import RATE, Ears, Resemblyzer, Vector
from evaluation.voice.recordings import Folder, Skipped, list_folder, read_speech

OnProgress = Callable[[str, int, int], None]
"""Hears the stage (`listen`, `compare`, `read`), how much of it is done, and of how much."""


@dataclass
class _Heard:
    """A folder as both pairs of ears heard it: by ears, by speaker, by recording."""

    by_ears: dict[str, dict[str, dict[str, Vector]]] = field(default_factory=dict)
    seconds: float = 0.0

    def voices(self, ears: str) -> Voices:
        return self.by_ears.get(ears, {})


class _Listener:
    """Listens to folders, one recording in memory at a time."""

    def __init__(self, on_progress: OnProgress, expected: int) -> None:
        self._ears: Final[Mapping[str, Ears]] = {"resemblyzer": Resemblyzer(), "acoustics": acoustics}
        self._on_progress = on_progress
        self._expected = expected
        self._done = 0
        self.skipped: list[Skipped] = []

    @property
    def names(self) -> list[str]:
        """What the ears are called."""
        return list(self._ears)

    def hear(self, folder: Folder) -> _Heard:
        heard = _Heard()
        for speaker, recordings in folder.items():
            for name, path in recordings.items():
                self._on_progress("listen", self._done, self._expected)
                self._done += 1
                try:
                    speech = read_speech(path)
                except EvaluationError as error:
                    self.skipped.append(Skipped(path, error.code))
                    continue
                heard.seconds += len(speech) / RATE
                for ears, listen in self._ears.items():
                    heard.by_ears.setdefault(ears, {}).setdefault(speaker, {})[name] = listen(speech)
        return heard


def evaluate_voice(
    original: Path,
    anonymized: Path,
    *,
    enrolment: Path | None = None,
    training: Path | None = None,
    words: bool = True,
    on_progress: OnProgress = lambda _stage, _done, _of: None,
) -> VoiceFindings:
    """Attacks anonymized voices.

    Args:
        original: a file, or a folder with one folder for each speaker.
        anonymized: what came of it, under the same names; endings may differ.
        enrolment: other results of the same speakers, which an attacker made under keys of their own; without
            it no lazily informed attacker is tried.
        training: results of other speakers, for the semi-informed attacker.
        words: whether to measure what is left of the words.
        on_progress: hears of progress.

    Raises:
        EvaluationError: file_and_folder, nothing_pairs, folder_without_speakers, too_few_persons,
            training_too_small, sound_unreadable, sound_too_short, or one about models.
    """
    if original.is_dir() != anonymized.is_dir():
        raise EvaluationError("file_and_folder")
    if not original.is_dir():
        return _two_files(original, anonymized, words, on_progress)
    folders = {"original": list_folder(original), "anonymized": list_folder(anonymized)}
    for name, given in (("enrolment", enrolment), ("training", training)):
        folders[name] = list_folder(given) if given is not None else {}
    pairs = _pairs(folders["original"], folders["anonymized"])
    if not pairs:
        raise EvaluationError("nothing_pairs")
    listener = _Listener(
        on_progress, sum(len(each) for folder in folders.values() for each in folder.values())
    )
    heard = {name: listener.hear(folder) for name, folder in folders.items()}
    tried = _tried(heard, listener.names, on_progress)
    results = heard["anonymized"].voices("resemblyzer")
    return VoiceFindings(
        people=len(set(results) & set(heard["original"].voices("resemblyzer"))),
        recordings=sum(map(len, results.values())),
        seconds=heard["anonymized"].seconds,
        skipped=listener.skipped,
        unpaired=sum(map(len, folders["anonymized"].values())) - len(pairs),
        tried=tried,
        likeness=_likeness(heard["original"].voices("resemblyzer"), results),
        words=_words(pairs, on_progress) if words else None,
    )


def _two_files(original: Path, anonymized: Path, words: bool, on_progress: OnProgress) -> VoiceFindings:
    ears = Resemblyzer()
    on_progress("listen", 0, 2)
    before = read_speech(original)
    on_progress("listen", 1, 2)
    after = read_speech(anonymized)
    voices = {"": {"": ears(before)}}, {"": {"": ears(after)}}
    return VoiceFindings(
        people=1,
        recordings=1,
        seconds=len(after) / RATE,
        skipped=(),
        unpaired=0,
        tried=(),
        likeness=_likeness(*voices),
        words=_words([Pair(0, original, anonymized)], on_progress) if words else None,
    )


def _words(pairs: list[Pair], on_progress: OnProgress) -> WordsKept:
    return words_kept(pairs, lambda done, of: on_progress("read", done, of))


def _pairs(originals: Folder, results: Folder) -> list[Pair]:
    return [
        Pair(person, originals[speaker][name], path)
        for person, speaker in enumerate(sorted(set(originals) & set(results)))
        for name, path in results[speaker].items()
        if name in originals[speaker]
    ]


def _tried(heard: Mapping[str, _Heard], names: list[str], on_progress: OnProgress) -> list[Tried]:
    tried = []
    for at, ears in enumerate(names):
        on_progress("compare", at, len(names))
        voices = {name: each.voices(ears) for name, each in heard.items()}
        results = voices["anonymized"]
        tables = {"ignorant": score(results, voices["original"])}
        if voices["enrolment"]:
            tables["lazy"] = score(results, voices["enrolment"])
            if voices["training"]:
                tables["semi"] = score(results, voices["enrolment"], learn(*_labelled(voices["training"])))
        # Of one result each, there is nothing to link.
        if sum(len(each) > 1 for each in results.values()) > 1:
            tables["linked"] = score(results, results)
        tried += [Tried(name, ears, figures_of(table)) for name, table in tables.items()]
    return tried


def _labelled(voices: Voices) -> tuple[np.ndarray, np.ndarray]:
    vectors = [vector for speaker in sorted(voices) for vector in voices[speaker].values()]
    persons = [person for person, speaker in enumerate(sorted(voices)) for _ in voices[speaker]]
    return np.array(vectors), np.array(persons, np.int64)


def _likeness(before: Voices, after: Voices) -> Figure | None:
    """The mean cosine of originals and their own results."""
    cosines, persons = [], []
    for person, speaker in enumerate(sorted(set(before) & set(after))):
        for name in sorted(set(before[speaker]) & set(after[speaker])):
            cosines.append(float(before[speaker][name] @ after[speaker][name]))
            persons.append(person)
    if not cosines:
        return None
    values, people = np.array(cosines), np.array(persons, np.int64)
    return Figure(float(values.mean()), mean_by_person(values, people, np.ones(len(values))))
