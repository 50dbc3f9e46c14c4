"""Both networks of this package: their files in the warm parent, opened in the child."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.speakers.activity import CHUNK, VoiceActivity
from anonymizer.speakers.encoder import SpeakerEncoder
from anonymizer.speakers.weights import encoder_graph

FloatArray = npt.NDArray[np.float32]

SPEECH: Final = 0.5
"""From this probability on a chunk is speech."""
# Chunks around speech that `voiced` leaves with it: 0.1 s.
_AROUND: Final = 3


@dataclass(frozen=True)
class SpeakerFiles:
    """What inference needs, in memory.

    Attributes:
        encoder: the graph of the speaker encoder.
        activity: that of voice activity.
    """

    encoder: bytes = field(repr=False)
    activity: bytes = field(repr=False)


def speaker_files(pretrained: bytes, activity: bytes) -> SpeakerFiles:
    """Makes both ready to run, in the warm parent.

    Args:
        pretrained: Resemblyzer's weights, their digest checked.
        activity: silero-vad's graph for whole sequences at 16 kHz, likewise.

    Raises:
        AnonymizerError: model_digest_mismatch.
    """
    return SpeakerFiles(encoder_graph(pretrained), activity)


class SpeakerNetworks:
    """Both, open.

    Attributes:
        encoder: tells voices apart.
    """

    def __init__(self, files: SpeakerFiles, threads: int) -> None:
        """Opens both. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed.
        """
        self.encoder = SpeakerEncoder(files.encoder, threads)
        self._activity = files.activity
        self._threads = threads

    def activity(self) -> VoiceActivity:
        """Begins to listen to a recording.

        Raises:
            AnonymizerError: detector_failed.
        """
        return VoiceActivity(self._activity, self._threads)

    def voiced(self, speech: FloatArray) -> FloatArray:
        """Cuts out what is no speech, but for 0.1 s around it; all of it is returned where none is found.

        Raises:
            AnonymizerError: detector_failed.
        """
        listening = self.activity()
        is_speech = np.concatenate([listening.push(speech), listening.finish()]) >= SPEECH
        if not is_speech.any():
            return speech
        near = np.convolve(is_speech, np.ones(2 * _AROUND + 1), "same") > 0 if len(is_speech) else is_speech
        return speech[np.repeat(near[: len(is_speech)], CHUNK)[: len(speech)]]


def open_speakers(files: SpeakerFiles, threads: int) -> SpeakerNetworks:
    """Opens both networks. Call it after the fork.

    Raises:
        AnonymizerError: detector_failed.
    """
    return SpeakerNetworks(files, threads)
