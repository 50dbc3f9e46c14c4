"""Those who look at pictures of the result, and what they find in one.

They are opened behind the wall, from what lies in memory. A figure that nobody here can take is None.

squares.py     which parts of a picture a network looks at
faces.py       faces found again; certainty.py asks three networks about each
likeness.py    whether the picture of a face is still there, told by no network
shares.py      how much of something lies outside of all covers
identities.py  faces recognized under their covers, by portraits of the original (portraits.py)
readable.py    text that can still be read, by reader.py
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.boxes import Boxes
from anonymizer.detect.contract import Detector, Image
from anonymizer.detect.engines import open_detector
from anonymizer.detect.text import TextDetector
from anonymizer.enrolled.embedding import EmbeddingNetwork
from anonymizer.enrolled.manifest import FACE_EMBEDDING
from anonymizer.leaks.certainty import Judge
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.faces import DRAWS_A_FACE, FaceAttacker
from anonymizer.leaks.identities import IdentityAttacker
from anonymizer.leaks.portraits import Portraits
from anonymizer.leaks.readable import TextAttacker
from anonymizer.leaks.reader import LineReader
from anonymizer.models import BLAZEFACE, CENTERFACE, FACE_MESH, FULL_RANGE, IRIS, READER, TEXT, Models
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
        faces_under: of those, under which a face is found again, or its picture is still there. Effects that
            draw a face are not counted as attacked.
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


class Attackers:
    """Looks at frames of one result.

    Attributes:
        names: of models in Models.sha256 that attack, sorted.
        independent: of those, the ones that took no part in covering.
        portraits: what it has to see of the original, to compare with.
    """

    def __init__(
        self,
        names: Sequence[str],
        independent: frozenset[str],
        portraits: Portraits,
        faces: FaceAttacker,
        identities: IdentityAttacker | None,
        texts: TextAttacker | None,
    ) -> None:
        """Takes who looks (see open_attackers)."""
        self.names = tuple(sorted(names))
        self.independent = independent
        self.portraits = portraits
        self._faces = faces
        self._identities = identities
        self._texts = texts

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
        identities = None if self._identities is None else self._identities.look(rgb, covered)
        return FrameFindings(
            faces_open=faces.open,
            faces_attacked=faces.attacked,
            faces_under=faces.under,
            identities_compared=None if identities is None else identities.compared,
            identities_matched=None if identities is None else identities.matched,
            texts_open=None if self._texts is None else self._texts.look(rgb, covered, keep),
        )


def open_attackers(models: Models, settings: Settings, threads: int) -> Attackers:
    """Opens everybody who can attack a result of this job. Call it after the fork.

    Args:
        models: from load_models.
        settings: what was sought, and how it was covered.
        threads: what a network may use.

    Raises:
        AnonymizerError: detector_failed, device_unavailable, model_unusable.
    """
    faces, names = _open_faces(models, threads)
    identities = None
    portraits = Portraits(wanted=_can_compare(models))
    if models.face_embedding is not None and _can_compare(models):
        network = EmbeddingNetwork(models.files[FACE_EMBEDDING], models.face_embedding, threads)
        identities = IdentityAttacker(network, models.landmarks, portraits)
        names.add(FACE_EMBEDDING)
    texts = None
    if TEXT in models.files and {"text", "plate"} & settings.sought.keys():
        texts = _open_texts(models, settings, threads)
        names |= {TEXT, *({READER} & models.files.keys())}
    independent = frozenset(names) - _taking_part(settings)
    return Attackers(sorted(names), independent, portraits, faces, identities, texts)


def _open_faces(models: Models, threads: int) -> tuple[FaceAttacker, set[str]]:
    full_range, short_range, mesh = models.full_range, models.blazeface, models.landmarks
    if full_range is None:
        return FaceAttacker(_Again(open_detector(models, _CLEARLY, threads)), None), {CENTERFACE}
    if short_range is None or mesh is None:
        return FaceAttacker(full_range, None), {FULL_RANGE}
    judge = Judge(full_range, short_range, mesh)
    return FaceAttacker(full_range, judge), {FULL_RANGE, BLAZEFACE, FACE_MESH}


def _can_compare(models: Models) -> bool:
    """Tells whether there is a recognizer, and what brings faces before it as it expects them."""
    manifest = models.face_embedding
    return manifest is not None and (manifest.eyes is None or models.landmarks is not None)


def _open_texts(models: Models, settings: Settings, threads: int) -> TextAttacker:
    detector = TextDetector(models.files[TEXT], threads, models.compiled_text)

    def open_reader() -> LineReader:
        return LineReader(models.files[READER], threads)

    return TextAttacker(detector, open_reader if READER in models.files else None, settings)


def _taking_part(settings: Settings) -> frozenset[str]:
    """Names what may have covered, or have decided who is: in a review anybody can be given a role."""
    names = {name for kind in settings.sought for name in settings.detectors_of(kind)}
    covers = [*settings.sought.values(), *(each for role in settings.roles for each in role.covers.values())]
    if any(cover is not None and cover.effect in DRAWS_A_FACE for cover in covers):
        names |= {FACE_MESH, IRIS}
    if settings.enrolled:
        names |= {FACE_MESH, FACE_EMBEDDING}
    return frozenset(names)


class _Again:
    """A Seer: the detector that covered."""

    def __init__(self, detector: Detector) -> None:
        self._detector = detector

    def faces(self, image: Image, threshold: float) -> Boxes:
        """See Seer.faces."""
        return self._detector.detect(image, threshold)
