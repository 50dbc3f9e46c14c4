"""The two networks, run by ONNX Runtime. Their past stands outside them: one pair serves many voices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.detect.sessions import open_session
from anonymizer.errors import AnonymizerError

# What the networks answer belongs to the step so many steps ago.
ENCODER_DELAY: Final = 4
DECODER_DELAY: Final = 2

Past = Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class VoiceWeights:
    """The two files, as they are read and checked in the warm parent."""

    encoder: bytes = field(repr=False)
    decoder: bytes = field(repr=False)


class Network:
    """One network, from one main output's point of view."""

    def __init__(self, weights: bytes, threads: int) -> None:
        """Opens it.

        Args:
            weights: an ONNX file; inputs past0.., outputs next0.. are what goes from one run to the next.
            threads: for the engine.

        Raises:
            AnonymizerError: model_unusable.
        """
        try:
            self._session = open_session(weights, threads)
        except AnonymizerError as error:
            raise AnonymizerError("model_unusable") from error
        self._shapes = {each.name: each.shape for each in self._session.get_inputs()}
        self._outputs = [each.name for each in self._session.get_outputs()]

    def beginning(self) -> Past:
        """Returns the past of somebody who has not spoken yet."""
        return {
            name: np.zeros(shape, np.float32)
            for name, shape in self._shapes.items()
            if name.startswith("past")
        }

    def takes(self, *names: str) -> bool:
        """Tells whether these are its inputs, beside its past."""
        return {name for name in self._shapes if not name.startswith("past")} == set(names)

    def width(self, name: str) -> int:
        """Returns how many channels an input has."""
        return int(self._shapes[name][1])

    def run(self, past: Past, **steps: NDArray[np.float32]) -> tuple[NDArray[np.float32], Past]:
        """Goes over some steps.

        Args:
            past: where the run before ended.
            steps: (n, channels) float32 each, by name.

        Returns:
            (n, channels) float32, and where this run ended.

        Raises:
            AnonymizerError: detector_failed: what comes out is not a number.
        """
        fed = {name: np.ascontiguousarray(values.T[None]) for name, values in steps.items()}
        try:
            answers = dict(zip(self._outputs, self._session.run(self._outputs, {**past, **fed}), strict=True))
        except Exception as error:  # likewise
            raise AnonymizerError("detector_failed") from error
        answer = next(values for name, values in answers.items() if not name.startswith("next"))
        if not np.isfinite(answer).all():
            raise AnonymizerError("detector_failed")
        following = {
            name.replace("next", "past"): values
            for name, values in answers.items()
            if name.startswith("next")
        }
        return answer[0].T, following


@dataclass(frozen=True)
class VoiceNetworks:
    """What turns one voice into another.

    Attributes:
        encoder: hears phones.
        decoder: says phones.
    """

    encoder: Network
    decoder: Network

    @property
    def donors(self) -> int:
        """How many voices the decoder has learned."""
        return self.decoder.width("donors")


def open_voice(weights: VoiceWeights, threads: int = 1) -> VoiceNetworks:
    """Opens both networks: in the child, whose threads they are.

    Raises:
        AnonymizerError: model_unusable.
    """
    encoder, decoder = Network(weights.encoder, threads), Network(weights.decoder, threads)
    # Networks of another shape are refused before anybody speaks.
    if not (encoder.takes("bands") and decoder.takes("phones", "donors")):
        raise AnonymizerError("model_unusable")
    return VoiceNetworks(encoder, decoder)
