"""The recordings of real speakers: named by a manifest, decoded to 16 kHz, aligned with what was read.

LibriSpeech (CC BY 4.0). Nobody's transcript is needed: pocketsphinx reads each recording, and its reading is
aligned with the sound. Its mistakes are mistakes between words that sound alike, which is what matters here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Decoder

from anonymizer.voice.rates import FRAME, SPEECH_RATE
from evaluation.voice_training.errors import VoiceTrainingError
from evaluation.voice_training.phones import Sounding, number_of

MANIFEST: Final = Path(__file__).with_name("recordings.sha256")
# pocketsphinx counts in hundredths of a second.
_ALIGNED_STEP: Final = 0.01
# Hundredths of a second of the pause that go with a passage.
_MARGIN: Final = 8


@dataclass(frozen=True)
class Spoken:
    """Speech with its phones.

    Attributes:
        speech: (n,) float32, 16 kHz.
        soundings: in the order of time.
        words: what was read; empty where nobody could tell.
    """

    speech: NDArray[np.float32]
    soundings: list[Sounding]
    words: str


def listed(folder: Path, manifest: Path = MANIFEST) -> list[Path]:
    """Returns the recordings of the manifest, in its order, each with the digest that it names.

    Args:
        manifest: lines as sha256sum writes them.

    Raises:
        VoiceTrainingError: data_missing or data_changed.
    """
    paths = []
    for line in manifest.read_text().splitlines():
        digest, name = line.split(maxsplit=1)
        path = folder / name
        if not path.is_file():
            raise VoiceTrainingError("data_missing", name)
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise VoiceTrainingError("data_changed", name)
        paths.append(path)
    return paths


def decode(path: Path) -> NDArray[np.float32]:
    """Returns a recording as speech: mono, 16 kHz.

    Raises:
        VoiceTrainingError: data_unreadable.
    """
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
    try:
        with av.open(str(path)) as container:
            frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
            frames += resampler.resample(None)
    except (av.error.FFmpegError, IndexError) as error:
        raise VoiceTrainingError("data_unreadable", path.name) from error
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float32)


class Aligner:
    """Reads speech and says when each phone sounds."""

    def __init__(self) -> None:
        """Opens pocketsphinx with the English model that it ships."""
        self._reader = Decoder(loglevel="FATAL")
        self._aligner = Decoder(loglevel="FATAL", lm=None)
        # The mean that each recording begins with: nothing of the one before may change what is read.
        self._usual = self._reader.get_cmn(False)

    def read(self, speech: NDArray[np.float32]) -> Spoken:
        """Returns the speech with what pocketsphinx reads in it; no phones where it cannot align them."""
        pcm = (np.clip(speech, -1, 1) * 32767).astype("<i2")
        self._reader.set_cmn(self._usual)
        _hear(self._reader, pcm)
        soundings: list[Sounding] = []
        words: list[str] = []
        for passage in _passages(
            [(str(each.word), each.start_frame, each.end_frame) for each in self._reader.seg()]
        ):
            words += passage.words
            begin = max(0, passage.begin - _MARGIN)
            piece = pcm[begin * FRAME : (passage.end + _MARGIN) * FRAME]
            soundings += self._aligned(piece, " ".join(passage.words), begin * _ALIGNED_STEP)
        return Spoken(speech, soundings, " ".join(words))

    def _aligned(self, pcm: NDArray[np.int16], words: str, begin: float) -> list[Sounding]:
        aligner = self._aligner
        try:
            aligner.set_align_text(words)
            aligner.set_cmn(self._usual)
            _hear(aligner, pcm)
            aligner.set_alignment()
            _hear(aligner, pcm)
        except RuntimeError:
            # No path through its own reading. It is left out.
            return []
        return [
            Sounding(
                number_of(str(phone.name)),
                begin + phone.start * _ALIGNED_STEP,
                begin + (phone.start + phone.duration) * _ALIGNED_STEP,
            )
            for word in aligner.get_alignment() or []
            for phone in word
        ]


@dataclass
class _Passage:
    """Words between two pauses, and the hundredths of a second where they begin and end."""

    words: list[str]
    begin: int
    end: int


def _passages(segments: list[tuple[str, int, int]]) -> list[_Passage]:
    """Cuts what was read at its pauses: short pieces are aligned where a whole recording is not."""
    passages: list[_Passage] = []
    pause = True
    for name, begin, end in segments:
        if name.startswith(("<", "[", "+")):
            pause = True
            continue
        # The dictionary numbers the ways to say a word.
        word = name.split("(")[0]
        if pause:
            passages.append(_Passage([], begin, end))
        passages[-1].words.append(word)
        passages[-1].end = end
        pause = False
    return passages


def _hear(decoder: Decoder, pcm: NDArray[np.int16]) -> None:
    decoder.start_utt()
    decoder.process_raw(pcm.tobytes(), full_utt=True)
    decoder.end_utt()
