"""Everybody in a job against encrypted templates: scores that nobody reads but the templates' owner.

The vectors of faces or voices are made behind the wall, compared there and forgotten with the job. What
leaves is encrypted to the templates' owner, and sealed to the result's recipients besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from enclave.errors import WorkerError
from enclave.policy import Policy
from enclave.policy.matching import MAX_SEALED_SCORES_BYTES
from enclave.worker import handed_over as fds
from enclave.worker.opening import OpenedUpload
from enclave.worker.sealing import SealedResult, seal_result
from keyvault.templates.matching import match
from keyvault.templates.package import TemplatePackage
from keyvault.templates.parameters import MAX_VECTORS
from keyvault.templates.vectors import Kind

Vector = npt.NDArray[np.float32]

# By whom vectors are made, by the name that the statement has for it (`JobFacts.models`).
NETWORKS = {Kind.FACE: "custom-face-embedding", Kind.VOICE: "resemblyzer"}


class MatchingJob:
    """Collects vectors (`anonymizer.enrolled.collecting.Collector`), and compares them in the end.

    Args:
        package: context and templates.
    """

    def __init__(self, package: TemplatePackage) -> None:
        self._package = package
        self._faces: dict[int, list[Vector]] = {}
        self._voices: list[Vector] = []

    @property
    def kind(self) -> Literal["face", "voice"]:
        """Of what vectors are wanted."""
        return self._package.space.kind.value

    def begin(self) -> None:
        """Forgets everything."""
        self._faces.clear()
        self._voices.clear()

    def face(self, track: int, vector: Vector) -> None:
        """Takes one look at the face of a track."""
        if track in self._faces or len(self._faces) < MAX_VECTORS:
            self._faces.setdefault(track, []).append(vector)

    def voices(self, vectors: Vector) -> None:
        """Takes what each speaker sounds like."""
        self._voices = [vector for vector in vectors[:MAX_VECTORS] if vector.any()]

    def close(self, recipients: tuple[str, ...]) -> tuple[SealedResult | None, dict[str, int]]:
        """Compares, seals the scores and gives what the statement says of it.

        Returns:
            The sealed scores, None where there was nobody; and the counts.

        Raises:
            TemplateError: template_malformed, template_vector_invalid.
            WorkerError: `result_too_large`.
            OSError: the disk is full.
        """
        rows = self._voices or [np.mean(np.stack(looks), axis=0) for _, looks in sorted(self._faces.items())]
        counts = {"templates": len(self._package.templates), "vectors": len(rows)}
        if not rows:
            return None, counts
        scores = match(self._package.context, self._package.templates, np.stack(rows))
        sink = fds.DescriptorSink(fds.SCORES_FD, MAX_SEALED_SCORES_BYTES)
        return seal_result([scores.to_bytes()], sink, recipients), counts


def matching_in(opened: OpenedUpload, policy: Policy, models: Mapping[str, str]) -> MatchingJob | None:
    """Reads what the upload says of matching; None where it says nothing.

    Args:
        opened: the upload.
        policy: that has to allow it.
        models: SHA-256 of each network, by name.

    Raises:
        WorkerError: `matching_not_allowed`, `matching_other_network`.
        TemplateError: template_malformed, template_foreign_context, template_other_network.
    """
    if not opened.instructions.matching:
        return None
    if not policy.matching:
        raise WorkerError("the policy lets nobody be compared with templates", "matching_not_allowed")
    package = TemplatePackage.from_bytes(opened.untrusted_matching)
    kind = package.space.kind
    if kind.value not in policy.matching:
        raise WorkerError("the policy lets nothing of the kind be compared", "matching_not_allowed")
    if models.get(NETWORKS[kind]) != package.space.network:
        raise WorkerError("the templates were made by a network that is not here", "matching_other_network")
    return MatchingJob(package)
