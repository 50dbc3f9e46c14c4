"""A manifest and its network, checked and open.

A graph that does not open, does not take what its manifest says, or answers with another shape or with what
is no number, is an error: a figure by a network that was misunderstood would be worse than none.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from anonymizer import AnonymizerError
from anonymizer.added import MAX_MODEL_BYTES, read_capped
from anonymizer.detect.sessions import Network
from anonymizer.strict_toml import MAX_MANIFEST_BYTES, load
from evaluation.errors import EvaluationError
from evaluation.networks.kinds import AnyNetwork, Values
from evaluation.networks.manifests import parse_network

THREADS: Final = 2
Wanted = TypeVar("Wanted", bound=AnyNetwork)


class OpenNetwork:
    """One network, ready to run.

    Attributes:
        name, sha256: for findings.
    """

    def __init__(self, manifest: AnyNetwork, model: bytes, *shapes: tuple[int, ...]) -> None:
        """Opens it.

        Args:
            manifest: what it says of itself.
            model: its file.
            shapes: of its inputs, one after the other.

        Raises:
            EvaluationError: model_unusable.
        """
        self.name: Final = manifest.name
        self.sha256: Final = manifest.sha256
        try:
            self._network = Network(model, THREADS)
        except AnonymizerError:
            raise unusable("It does not open.") from None
        if len(self._network.inputs) != len(shapes) or not self._network.takes(shapes[0]):
            raise unusable(f"It does not take {len(shapes)} inputs of {shapes[0]} float32.")

    def answer(self, *given: Values) -> Values:
        """Runs it, and returns its first output.

        Raises:
            EvaluationError: model_unusable.
        """
        try:
            answers = self._network.run(dict(zip(self._network.inputs, given, strict=True)))
        except AnonymizerError:
            raise unusable("It does not run, or does not answer with numbers.") from None
        if not answers:
            raise unusable("It does not answer.")
        return answers[0]


def read_network(path: Path, wanted: type[Wanted]) -> tuple[Wanted, bytes]:
    """Reads a manifest of one kind and the network beside it, and compares the digest.

    Raises:
        EvaluationError: model_manifest_invalid, model_missing or model_digest_mismatch.
    """
    try:
        manifest = parse_network(read_capped(path, MAX_MANIFEST_BYTES, "model_manifest_invalid"))
        if not isinstance(manifest, wanted):
            raise AnonymizerError("model_manifest_invalid", f"kind must be {wanted.kind}.")
        model = read_capped(path.parent / manifest.file, MAX_MODEL_BYTES, "model_missing")
        if hashlib.sha256(model).hexdigest() != manifest.sha256:
            raise AnonymizerError("model_digest_mismatch")
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    return manifest, model


def kind_of(path: Path) -> str:
    """Returns the kind that a manifest says it is of, known or not; empty where it says none.

    Raises:
        EvaluationError: model_manifest_invalid.
    """
    try:
        kind = load(read_capped(path, MAX_MANIFEST_BYTES, "model_manifest_invalid")).get("kind")
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    return kind if isinstance(kind, str) else ""


def unusable(why: str) -> EvaluationError:
    """Returns the error of a network that is not what its manifest says."""
    return EvaluationError("model_unusable", why)


def of_shape(answer: Values, shape: tuple[int, ...]) -> Values:
    """Returns an answer of a shape that was promised.

    Raises:
        EvaluationError: model_unusable.
    """
    if answer.shape != shape:
        raise unusable(f"It does not answer {shape}.")
    return np.asarray(answer, np.float32)
