"""Those who look at pictures of the result, and what they find in one.

They are opened behind the wall, from what lies in memory. A figure that nobody here can take is None.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.boxes import Boxes
from anonymizer.detect.contract import Detector, Image
from anonymizer.detect.engines import open_detector
from anonymizer.effects.operator import Cover, Scene
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.faces import DRAWS_A_FACE, FaceAttacker, Seer
from anonymizer.models import CENTERFACE, FACE_MESH, FULL_RANGE, IRIS, Models
from anonymizer.settings import KeptRegion, Settings

# Where there is no other network, the one that covered looks again: it tells whether covers lie where they
# should.
_CLEARLY: Final = 0.6


@dataclass(frozen=True)
class FrameFindings:
    """What was found in one frame of the result; None is what nobody here attacks.

    Attributes:
        faces_open: faces found clearly outside of every cover and of everything kept.
        faces_attacked: covers of faces that were looked at.
        faces_under: of those, under which a face is found again. Effects that draw a face are not counted as
            attacked.
        identities_compared: covers of faces compared with the originals of all tracks by a face recognizer.
        identities_matched: of those, matched to their own original track above the recognizer's threshold.
        texts_open: texts outside of covers and of what may stay that can be read; None where the policy does
            not cover text.
    """

    faces_open: int | None
    faces_attacked: int
    faces_under: int | None
    identities_compared: int | None
    identities_matched: int | None
    texts_open: int | None


class Portraits:
    """Small pictures of each track, kept while the original passes."""

    def see(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes a frame in which nothing is covered yet."""


class Attackers:
    """Looks at frames of one result.

    Attributes:
        names: of models in Models.sha256 that attack, sorted.
        independent: of those, the ones that took no part in covering.
        portraits: what it has to see of the original, to compare with.
    """

    def __init__(self, names: Sequence[str], independent: frozenset[str], faces: FaceAttacker) -> None:
        """Takes who looks (see open_attackers)."""
        self.names = tuple(sorted(names))
        self.independent = independent
        self.portraits = Portraits()
        self._faces = faces

    def look(self, rgb: Image, covered: Sequence[Covered], keep: Sequence[KeptRegion]) -> FrameFindings:
        """Attacks one frame of the result.

        Args:
            rgb: (H, W, 3) uint8.
            covered: what the frame was to hide, and what it was to keep.
            keep: where text may stay.

        Raises:
            AnonymizerError: detector_failed.
        """
        faces = self._faces.look(rgb, covered)
        return FrameFindings(faces.open, faces.attacked, faces.under, None, None, None)


def open_attackers(models: Models, settings: Settings, threads: int) -> Attackers:
    """Opens everybody who can attack a result of this job. Call it after the fork.

    Args:
        models: from load_models.
        settings: what was sought, and how it was covered.
        threads: what a network may use.

    Raises:
        AnonymizerError: detector_failed, device_unavailable.
    """
    names = []
    seer: Seer
    if models.full_range is not None:
        seer = models.full_range
        names.append(FULL_RANGE)
    else:
        seer = _Again(open_detector(models, _CLEARLY, threads))
        names.append(CENTERFACE)
    if models.landmarks is not None:
        names.append(FACE_MESH)
    faces = FaceAttacker(seer, models.landmarks)
    return Attackers(names, frozenset(names) - _taking_part(settings), faces)


def _taking_part(settings: Settings) -> frozenset[str]:
    """Names what may have covered: a review can give a role or a drawn face to whom the policy did not."""
    names = {name for kind in settings.sought for name in settings.detectors_of(kind)}
    covers = [*settings.sought.values(), *(each for role in settings.roles for each in role.covers.values())]
    if any(cover is not None and cover.effect in DRAWS_A_FACE for cover in covers):
        names |= {FACE_MESH, IRIS}
    return frozenset(names)


class _Again:
    """A Seer: the detector that covered."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def faces(self, image: Image, threshold: float) -> Boxes:
        """See Seer.faces."""
        return self._detector.detect(image, threshold)
