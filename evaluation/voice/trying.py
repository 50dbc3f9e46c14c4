"""An effect tried on speech at hand, as each attacker would: `attack(convert, speakers)`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from evaluation.figures.attacked import Attacked, figures_of
from evaluation.figures.discriminant import Discriminant, learn
from evaluation.figures.resampling import RESAMPLES
from evaluation.figures.scores import ScoreTable
from evaluation.voice.attackers import Voices, score
from evaluation.voice.listening import Ears, Resemblyzer, Speech

Convert = Callable[[Speech, bytes], Speech]
"""Speech, (samples,) float32 at 16,000 Hz, and a seed of 32 bytes in; speech out."""
Speakers = Mapping[str, Sequence[Speech]]

TRIED: Final = ("ignorant", "lazy", "semi", "known_key", "same_pseudonym", "two_scopes")
# How often each recording of the training speakers is anonymized, each time under another key.
TRAINING_COPIES: Final = 2


def attack(
    convert: Convert,
    speakers: Speakers,
    *,
    training: Speakers | None = None,
    attackers: Sequence[str] = TRIED,
    ears: Ears | None = None,
    resamples: int = RESAMPLES,
    discriminant: Discriminant | None = None,
    training_copies: int = TRAINING_COPIES,
) -> dict[str, Attacked]:
    """Tries an effect as each attacker would.

    Args:
        convert: the effect; it gets a new seed for every pseudonym.
        speakers: recordings by speaker, at least two of each.
        training: of other speakers, for `semi`: at least two of each (cut a long one in two).
        attackers: which of `TRIED`.
            `ignorant`, `lazy`, `semi`: as in attackers.py, every recording under a key of its own.
            `known_key`: one key for everybody, as if it had leaked.
            `same_pseudonym`: one key for all recordings of a person, compared among each other; a pseudonym
            should stay itself, with a Rank-1 near 1.
            `two_scopes`: one key for each person in each of two scopes, one scope compared with the other;
            that should be chance.
        ears: by default Resemblyzer.
        resamples: how often speakers are drawn anew for the intervals.
        discriminant: a trained one, instead of `training`.
        training_copies: how often each recording of `training` is anonymized, each time under another key.

    Returns:
        Figures by attacker.

    Raises:
        EvaluationError: too_few_persons, training_too_small.
    """
    listener = ears or Resemblyzer()
    wanted = set(attackers)

    def heard(purpose: str, key_for: str = "recording") -> Voices:
        return {
            name: {
                f"{place:04}": listener(convert(speech, _seed_for(key_for, purpose, name, place)))
                for place, speech in enumerate(recordings)
            }
            for name, recordings in speakers.items()
        }

    tables: dict[str, ScoreTable] = {}
    if {"ignorant", "lazy", "semi"} & wanted:
        trials = heard("trial")
        if "ignorant" in wanted:
            tables["ignorant"] = score(trials, _open(speakers, listener))
        if {"lazy", "semi"} & wanted:
            enrolment = heard("enrolment")
            tables["lazy"] = score(trials, enrolment)
            if "semi" in wanted and (training or discriminant):
                learned = discriminant or learned_from(convert, training or {}, listener, training_copies)
                tables["semi"] = score(trials, enrolment, learned)
    if "known_key" in wanted:
        leaked = heard("leaked", key_for="everybody")
        tables["known_key"] = score(leaked, leaked)
    if {"same_pseudonym", "two_scopes"} & wanted:
        pseudonyms = heard("a scope", key_for="person")
        tables["same_pseudonym"] = score(pseudonyms, pseudonyms)
        if "two_scopes" in wanted:
            tables["two_scopes"] = score(pseudonyms, heard("another scope", key_for="person"))
    return {name: figures_of(tables[name], resamples) for name in TRIED if name in wanted & set(tables)}


def _open(speakers: Speakers, listener: Ears) -> Voices:
    return {
        name: {f"{place:04}": listener(speech) for place, speech in enumerate(recordings)}
        for name, recordings in speakers.items()
    }


def _seed_for(key_for: str, purpose: str, name: str, place: int) -> bytes:
    if key_for == "everybody":
        return seed_of(purpose, "", "")
    return seed_of(purpose, name, "all" if key_for == "person" else str(place))


def learned_from(
    convert: Convert, training: Speakers, listener: Ears, copies: int = TRAINING_COPIES
) -> Discriminant:
    """Returns what is learned from speech of others, each recording anonymized under keys of its own."""
    vectors, persons = [], []
    for person, (name, recordings) in enumerate(sorted(training.items())):
        for place, speech in enumerate(recordings):
            for copy in range(copies):
                vectors.append(listener(convert(speech, seed_of("training", name, f"{place} {copy}"))))
                persons.append(person)
    return learn(np.array(vectors), np.array(persons, np.int64))


def seed_of(purpose: str, speaker: str, which: str) -> bytes:
    """Returns 32 bytes: the same for the same three words, so that figures can be had again."""
    return hashlib.sha256(f"{purpose}\0{speaker}\0{which}".encode()).digest()


def told(figures: Mapping[str, Attacked]) -> str:
    """Returns the figures as lines of plain text, percent."""
    lines = [f"{'attacker':16}{'EER':>6} {'95 %':>13}{'TPR@1%':>8}{'Rank-1':>8} {'95 %':>13}{'chance':>8}"]
    for name, each in figures.items():
        eer, first = each.eer, each.rank_1
        lines.append(
            f"{name:16}{100 * eer.value:6.1f} {100 * eer.within.low:5.1f} - {100 * eer.within.high:5.1f}"
            f"{100 * each.tpr_at_1_fpr.value:8.1f}{100 * first.value:8.1f}"
            f" {100 * first.within.low:5.1f} - {100 * first.within.high:5.1f}{100 * each.chance_rank_1:8.1f}"
        )
    return "\n".join(lines)
