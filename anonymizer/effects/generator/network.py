"""A network that makes faces, run as its manifest says; what it answers is checked before it is shown."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.detect.sessions import Network
from anonymizer.errors import AnonymizerError
from anonymizer.face_manifests import Generator

FloatArray = npt.NDArray[np.float32]

_COLOURS, _WITH_ALPHA = 3, 4
_LABEL: Final = b"bauta.generator/v1:"


@dataclass(frozen=True)
class MadeFace:
    """A face in its square.

    Attributes:
        rgb: (side, side, 3) uint8.
        alpha: (side, side) float32, 0 to 1; None where the network says nothing of it.
    """

    rgb: npt.NDArray[np.uint8]
    alpha: FloatArray | None


class GeneratorNetwork:
    """An open generator."""

    def __init__(self, model: bytes, manifest: Generator, threads: int) -> None:
        """Opens the network and runs it once, so that what cannot run fails before any frame.

        Raises:
            AnonymizerError: model_unusable, where it does not open, or does not take or answer what its
                manifest says.
        """
        self.manifest = manifest
        try:
            self._network = Network(model, threads)
        except AnonymizerError:
            raise AnonymizerError("model_unusable", "It is no graph that can be opened.") from None
        wanted = bool(manifest.seed) + bool(manifest.landmarks) + manifest.pose
        if len(self._network.inputs) != wanted:
            raise AnonymizerError("model_unusable", f"It does not take {wanted} inputs.")
        points = np.full((len(manifest.landmarks), 2), 0.5, np.float32)
        try:
            self.make(bytes(32), points, (0.0, 0.0, 0.0))
        except AnonymizerError:
            raise AnonymizerError("model_unusable", "It does not answer as its description says.") from None

    def make(self, seed: bytes, landmarks: FloatArray, pose: tuple[float, float, float]) -> MadeFace:
        """Makes a face.

        Args:
            seed: who it is.
            landmarks: (N, 2), 0 to 1 across and down the square, those of the manifest.
            pose: yaw, pitch and roll in radians.

        Raises:
            AnonymizerError: detector_failed, also where the answer has another shape or is no finite number.
        """
        manifest = self.manifest
        given: list[FloatArray] = []
        if manifest.seed:
            given.append(_numbers_of(seed, manifest.seed)[None])
        if manifest.landmarks:
            given.append(np.ascontiguousarray(landmarks, np.float32)[None])
        if manifest.pose:
            given.append(np.array([pose], np.float32))
        answer = self._network.run(dict(zip(self._network.inputs, given, strict=True)))[0]
        channels = _WITH_ALPHA if manifest.alpha else _COLOURS
        if answer.shape != (1, channels, manifest.side, manifest.side):
            raise AnonymizerError("detector_failed")
        share = np.clip((answer[0] - manifest.lowest) / (manifest.highest - manifest.lowest), 0, 1)
        rgb = np.round(share[:_COLOURS].transpose(1, 2, 0) * 255).astype(np.uint8)
        return MadeFace(np.ascontiguousarray(rgb), share[_COLOURS] if manifest.alpha else None)


def _numbers_of(seed: bytes, count: int) -> FloatArray:
    """Draws an identity: the same for the same seed, of mean 0 and deviation 1."""
    digest = np.frombuffer(hashlib.sha256(_LABEL + seed).digest(), np.uint32)
    return np.random.default_rng(digest).standard_normal(count).astype(np.float32)
