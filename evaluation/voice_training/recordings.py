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

from anonymizer.voice.rates import SPEECH_RATE
from evaluation.voice_training.errors import VoiceTrainingError
from evaluation.voice_training.phones import Sounding, number_of

MANIFEST: Final = Path(__file__).with_name("recordings.sha256")
# pocketsphinx counts in hundredths of a second.
_ALIGNED_STEP: Final = 0.01


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
        # Loaded here: only the training needs it, and it is an extra.
        from pocketsphinx import Decoder

        self._decoder = Decoder(loglevel="FATAL")

    def read(self, speech: NDArray[np.float32]) -> Spoken:
        """Returns the speech with what pocketsphinx reads in it; without phones where it cannot align any."""
        try:
            return self._read(speech)
        except RuntimeError:
            # No path through its own reading survived: the next recording begins with nothing of this one.
            self._decoder.reinit()
            return Spoken(speech, [], "")

    def _read(self, speech: NDArray[np.float32]) -> Spoken:
        pcm = (np.clip(speech, -1, 1) * 32767).astype("<i2").tobytes()
        decoder = self._decoder
        decoder.activate_search()
        self._hear(pcm)
        heard = decoder.hyp()
        if heard is None or not heard.hypstr.strip():
            return Spoken(speech, [], "")
        words = str(heard.hypstr)
        decoder.set_align_text(words)
        self._hear(pcm)
        decoder.set_alignment()
        self._hear(pcm)
        alignment = decoder.get_alignment()
        soundings = [
            Sounding(
                number_of(str(phone.name)),
                phone.start * _ALIGNED_STEP,
                (phone.start + phone.duration) * _ALIGNED_STEP,
            )
            for word in alignment or []
            for phone in word
        ]
        return Spoken(speech, soundings, words)

    def _hear(self, pcm: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()
