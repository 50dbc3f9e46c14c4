"""Who speaks when, found while a recording passes by; of its sound nothing is kept.

Windows of 1.6 s, every 0.5 s, each become a voice (encoder.py). When all has been heard, voices that are
alike become speakers (clustering.py), and each moment of speech gets one (labelling.py).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.speakers.encoder import DIMENSIONS, WINDOW_FRAMES, checked, window_gain
from anonymizer.speakers.labelling import Heard, turns_of
from anonymizer.speakers.likeness import mean_voices
from anonymizer.speakers.mel import BANDS, RATE, STEP, mel_frames
from anonymizer.speakers.networks import SpeakerNetworks
from anonymizer.speakers.turns import Turns

FloatArray = npt.NDArray[np.float32]

WINDOW_SAMPLES: Final = WINDOW_FRAMES * STEP
STEP_SAMPLES: Final = RATE // 2
# Windows that are embedded together: 16 s.
_AT_ONCE: Final = 32
# A mel frame sees 200 samples on both sides of its middle; two steps hold them.
_FRAMES_BEFORE: Final = 2
_EDGE: Final = _FRAMES_BEFORE * STEP


class SpeakerFinder:
    """Listens to one recording from its beginning. Memory grows by 0.5 KB a window and a byte a chunk."""

    def __init__(self, networks: SpeakerNetworks) -> None:
        """Takes open networks.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._encoder = networks.encoder
        self._activity = networks.activity()
        self._speech: list[npt.NDArray[np.uint8]] = []
        self._voices: list[npt.NDArray[np.float16]] = []
        # From the beginning of the next window on, and before it what its first mel frame sees.
        self._waiting = np.zeros(_EDGE, np.float32)
        self._samples = 0
        self._ended = False

    def push(self, speech: FloatArray) -> None:
        """Takes more of the recording: mono, 16 kHz, any length.

        Raises:
            AnonymizerError: detector_failed, also for samples that are no finite numbers.
        """
        if not len(speech):
            return
        self._samples += len(speech)
        self._speech.append(_as_bytes(self._activity.push(speech)))
        self._waiting = np.concatenate([self._waiting, checked(speech)])
        while self._whole_windows() >= _AT_ONCE:
            self._embed(_AT_ONCE)

    def finish(self) -> Turns:
        """Gives the turns of all that was heard. Nothing may be pushed any more.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._end()
        return turns_of(
            Heard(
                np.concatenate(self._speech).astype(np.float32) / np.float32(255),
                self._windows(),
                self._samples,
            )
        )

    def voices_of(self, turns: Turns, begins: float) -> FloatArray:
        """Gives what each speaker sounds like on the mean: (speakers, 256); zeros for who is not heard.

        Nothing may be pushed any more.

        Args:
            turns: who speaks when; found here, or by whoever heard the same recording before.
            begins: when the recording does, in seconds of the turns.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._end()
        return mean_voices(self._windows(), turns, begins)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._speech.append(_as_bytes(self._activity.finish()))
        left = len(self._waiting) - _EDGE
        if left > 0:
            windows = 1 + max(0, -(-(left - WINDOW_SAMPLES) // STEP_SAMPLES))
            needed = (windows - 1) * STEP_SAMPLES + WINDOW_SAMPLES + 2 * _EDGE
            self._waiting = np.pad(self._waiting, (0, max(0, needed - len(self._waiting))))
            self._embed(windows)

    def _windows(self) -> FloatArray:
        return np.concatenate([np.zeros((0, DIMENSIONS), np.float16), *self._voices]).astype(np.float32)

    def _whole_windows(self) -> int:
        return (len(self._waiting) - 2 * _EDGE - WINDOW_SAMPLES) // STEP_SAMPLES + 1

    def _embed(self, windows: int) -> None:
        samples = (windows - 1) * STEP_SAMPLES + WINDOW_SAMPLES
        mel = mel_frames(self._waiting[: samples + 2 * _EDGE])[_FRAMES_BEFORE:]
        batch = np.empty((windows, WINDOW_FRAMES, BANDS), np.float32)
        for place in range(windows):
            begin = place * STEP_SAMPLES
            sound = self._waiting[_EDGE + begin : _EDGE + begin + WINDOW_SAMPLES]
            frames = mel[begin // STEP : begin // STEP + WINDOW_FRAMES]
            batch[place] = frames * window_gain(sound) ** 2
        self._voices.append(self._encoder.embed_mel(batch).astype(np.float16))
        self._waiting = self._waiting[windows * STEP_SAMPLES :].copy()


def _as_bytes(probabilities: FloatArray) -> npt.NDArray[np.uint8]:
    return np.rint(probabilities * 255).astype(np.uint8)
