"""How well voice effects hold: ours beside what others do, against every attacker of `evaluation.voice`.

    python -m benchmarks.voice_attack --voices FOLDER --training FOLDER --out FOLDER

FOLDER of `--voices` holds one folder for each speaker; `--training` files of other speakers, named
SPEAKER-….opus. Figures land as JSON beside a table in Markdown, effect by effect; what is there already is
not measured again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.voice_baselines import BASELINES, Effect
from evaluation.figures.attacked import Attacked
from evaluation.figures.writing import document_of
from evaluation.voice import words
from evaluation.voice.acoustics import acoustics
from evaluation.voice.listening import RATE, Ears, Resemblyzer, Speech, Vector
from evaluation.voice.recordings import list_folder, read_speech
from evaluation.voice.trying import TRIED, Speakers, attack, seed_of

OURS: Final = "Bauta, anonymize"
MOST_SECONDS: Final = 5
TRAINING_SPEAKERS: Final = 30
PIECES: Final = 2
WORDS_RECORDINGS: Final = 10
SENTENCES: Final = (
    "the old man walked slowly along the river in the morning",
    "she put the letter on the table and closed the door",
    "we will meet at the station before the train leaves",
    "nobody in the village remembered a colder winter",
    "he asked for a glass of water and sat down by the window",
)


def ours() -> Effect:
    """The product's effect, as a job would apply it to one speaker."""
    from anonymizer.models import load_voice_weights
    from anonymizer.voice import VoiceMask, convert, open_voice

    networks = open_voice(load_voice_weights(), threads=1)
    return lambda speech, seed: convert(networks, VoiceMask.of(seed), speech)


def measured(effect: Effect, voices: Speakers, training: Speakers) -> dict[str, Any]:
    """Returns every figure of one effect."""
    # Both ears hear the same conversions; each is made once.
    made: dict[tuple[int, bytes], Speech] = {}
    seconds = spent = 0.0

    def once(speech: Speech, seed: bytes) -> Speech:
        nonlocal seconds, spent
        key = id(speech), seed
        if key not in made:
            begun = time.process_time()
            made[key] = effect(speech, seed)
            spent += time.process_time() - begun
            seconds += len(speech) / RATE
        return made[key]

    ears: Mapping[str, tuple[Ears, tuple[str, ...]]] = {
        "resemblyzer": (Resemblyzer(), TRIED),
        "acoustics": (acoustics, ("ignorant", "lazy", "semi")),
    }
    found: dict[str, dict[str, Attacked]] = {}
    for name, (listener, attackers) in ears.items():
        found[name] = attack(
            once,
            voices,
            training=training,
            attackers=attackers,
            ears=_remembering(listener),
            training_copies=1,
        )
    return {
        "attackers": {
            name: {attacker: document_of(each) for attacker, each in figures.items()}
            for name, figures in found.items()
        },
        "words": _words(once, voices),
        "known_words": _known_words(effect),
        "processor_seconds_per_second": round(spent / seconds, 4),
    }


def _remembering(listener: Ears) -> Ears:
    """Ears that hear no recording twice; recordings are kept by whoever made them."""
    heard: dict[int, Vector] = {}

    def listen(speech: Speech) -> Vector:
        if id(speech) not in heard:
            heard[id(speech)] = listener(speech)
        return heard[id(speech)]

    return listen


def _words(effect: Effect, voices: Speakers) -> dict[str, float]:
    read = words.recognizer()
    errors = total = 0
    clear = []
    chosen = [(name, place) for place in range(9) for name in voices if place < len(voices[name])]
    for name, place in chosen[:WORDS_RECORDINGS]:
        original = voices[name][place]
        result = effect(original, seed_of("trial", name, str(place)))
        before, after = words.aligned(original, result)
        reference = read(before)
        errors += words.word_errors(reference, read(after))
        total += len(reference)
        clear.append(words.intelligibility(original, result))
    return {"word_error": round(errors / total, 4), "stoi": round(float(np.mean(clear)), 4)}


def _known_words(effect: Effect) -> dict[str, float] | None:
    """Word errors against what was really said, of made speech before and after; None without flite.

    flite's voices are among those that our encoder was trained on, so ours has an easier time with them.
    """
    if shutil.which("flite") is None:
        return None
    from evaluation.voice_training.speaking import FLITE_VOICES, by_flite

    read = words.recognizer()
    before = after = total = 0
    for voice in FLITE_VOICES:
        for place, sentence in enumerate(SENTENCES):
            speech, said = by_flite(voice, sentence).speech, sentence.split()
            result = effect(speech, seed_of("known words", voice, str(place)))
            before += words.word_errors(said, read(speech))
            after += words.word_errors(said, read(result))
            total += len(said)
    return {"original": round(before / total, 4), "result": round(after / total, 4)}


def table(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Returns the figures as Markdown: EER and Rank-1 in percent, intervals in brackets."""
    head = [
        "effect",
        "ignorant",
        "lazy",
        "semi",
        "spectrum, pitch, pace: semi",
        "known key",
        "same pseudonym",
        "two scopes",
        "word error",
        "the same, known text",
        "STOI",
        "× real time",
    ]
    rows = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for name, result in results.items():
        first, second = result["attackers"]["resemblyzer"], result["attackers"]["acoustics"]
        cells = [name, *(_cell(first[each]) for each in ("ignorant", "lazy", "semi")), _cell(second["semi"])]
        cells += [_cell(first[each]) for each in ("known_key", "same_pseudonym", "two_scopes")]
        known = result.get("known_words")
        cells += [f"{100 * result['words']['word_error']:.0f}"]
        cells += ["–" if known is None else f"{100 * known['original']:.0f} → {100 * known['result']:.0f}"]
        cells += [f"{result['words']['stoi']:.2f}"]
        rows.append("| " + " | ".join([*cells, f"{result['processor_seconds_per_second']:.3f}"]) + " |")
    return "\n".join(rows) + "\n"


def _cell(figures: Mapping[str, Any]) -> str:
    eer, first = figures["eer"], figures["rank_1"]
    low, high = eer["interval"]
    return f"{100 * eer['value']:.0f} [{100 * low:.0f}–{100 * high:.0f}] / {100 * first['value']:.0f}"


def main() -> None:
    """Measures, and writes after each effect."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--voices", type=Path, required=True)
    parser.add_argument("--training", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--effect", action="append", help="only this one; may be given several times")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    voices = {
        name: [read_speech(path)[: MOST_SECONDS * RATE] for path in recordings.values()]
        for name, recordings in list_folder(arguments.voices).items()
    }
    training = {
        path.name.split("-")[0]: np.array_split(read_speech(path)[: PIECES * MOST_SECONDS * RATE], PIECES)
        for path in sorted(arguments.training.glob("*.opus"))[:TRAINING_SPEAKERS]
    }
    names = [name for name in (*BASELINES, OURS) if not arguments.effect or name in arguments.effect]
    saved = arguments.out / "voice_attack.json"
    results = json.loads(saved.read_text()) if saved.exists() else {}
    for name in names:
        if name in results:
            continue
        sys.stderr.write(f"{name}\n")
        results[name] = measured(ours() if name == OURS else BASELINES[name], voices, training)
        saved.write_text(json.dumps(results, indent=1))
        (arguments.out / "voice_attack.md").write_text(table(results))
    sys.stdout.write(table(results))


if __name__ == "__main__":
    main()
