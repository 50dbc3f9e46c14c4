"""The training of the voice, very small, on made speech: it runs, repeats itself, and its networks speak."""

from __future__ import annotations

import hashlib
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from made_speech import SENTENCES, spoken

from anonymizer.voice import VoiceMask, VoiceWeights, convert, open_voice
from evaluation.voice_training import phones
from evaluation.voice_training.errors import VoiceTrainingError
from evaluation.voice_training.recordings import Spoken, listed
from evaluation.voice_training.speaking import by_espeak
from evaluation.voice_training.training import Plan, Trained, fitted

VOICES = ("m1", "f2")


def _tiny(made: list[Spoken], seed: int) -> Trained:
    plan = Plan(Path(), seed=seed, encoder_rounds=2, decoder_rounds=2, batch=2, threads=1)
    return fitted(plan, made, list(enumerate(made)), lambda _: None)


def test_the_same_seed_gives_the_same_weights() -> None:
    """To the last bit; another seed gives others. What was trained speaks."""
    speech = spoken("m1", 30, SENTENCES[0])
    # Made speech stands for real speakers: no program but the library of the tests is needed. It speaks once,
    # for each time it speaks a little differently, in the same order in every process.
    made = [by_espeak(voice, SENTENCES[0]) for voice in VOICES]
    first, again, other = _tiny(made, 1), _tiny(made, 1), _tiny(made, 2)
    digests = [hashlib.sha256(each.encoder + each.decoder).hexdigest() for each in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]
    said = convert(open_voice(VoiceWeights(first.encoder, first.decoder)), VoiceMask.of(bytes(32)), speech)
    assert said.shape == speech.shape
    assert np.isfinite(said).all()


def test_phones_of_every_tool_are_the_same_sounds() -> None:
    """The dictionary's, flite's and espeak-ng's names, and a diphthong with an r in two parts."""
    assert phones.CLASSES == 120
    assert phones.number_of("ax") == phones.number_of("AH")
    assert phones.number_of("pau") == phones.number_of("SIL") == 0
    assert [phones.PHONES[each.phone] for each in phones.from_espeak("'aI@", 0, 1)] == ["AY", "ER"]
    with pytest.raises(KeyError):
        phones.number_of("XX")


def test_parts_follow_each_other_in_time() -> None:
    """A phone of six steps is begin, middle and end, two steps each; nothing said is silence or unknown."""
    six = [phones.Sounding(phones.number_of("AY"), 0.04, 0.16)]
    first = phones.number_of("AY") * phones.PARTS
    wanted = [0, 0, first, first, first + 1, first + 1, first + 2, first + 2, 0]
    assert phones.classes_of(six, 9, 0.02).tolist() == wanted
    assert phones.classes_of(six, 9, 0.02, otherwise=-1).tolist() == [-1, -1, *wanted[2:8], -1]


def test_recordings_are_those_of_the_manifest(tmp_path: Path) -> None:
    """A missing one and a changed one are told apart."""
    with wave.open(str(tmp_path / "one.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(3200))
    manifest = tmp_path / "list.sha256"
    digest = hashlib.sha256((tmp_path / "one.wav").read_bytes()).hexdigest()
    manifest.write_text(f"{digest}  one.wav\n")
    assert listed(tmp_path, manifest) == [tmp_path / "one.wav"]
    manifest.write_text(f"{digest}  one.wav\n{digest}  two.wav\n")
    with pytest.raises(VoiceTrainingError) as missing:
        listed(tmp_path, manifest)
    assert missing.value.code == "data_missing"
    shutil.copy(tmp_path / "list.sha256", tmp_path / "two.wav")
    with pytest.raises(VoiceTrainingError) as changed:
        listed(tmp_path, manifest)
    assert changed.value.code == "data_changed"
