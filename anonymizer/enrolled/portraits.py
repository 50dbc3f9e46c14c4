"""What somebody who is enrolled is known by: a vector, made of their pictures or brought along.

Pictures come from whoever submits and are as untrusted as the media: they are decoded here, behind the wall,
within bounds, and forgotten.
"""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import Finder, open_finders
from anonymizer.detect.looking import CopyAt
from anonymizer.effects.region import Plane
from anonymizer.enrolled.embedding import EmbeddingNetwork, FaceEmbedder, Vector, unit
from anonymizer.enrolled.gallery import Gallery
from anonymizer.enrolled.manifest import FACE_EMBEDDING, Bounds
from anonymizer.enrolled.person import Enrolled
from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.still_size import still_header
from anonymizer.intake.wholeness import check_whole
from anonymizer.models import Models
from anonymizer.settings import FaceSettings, Limits, Settings
from anonymizer.still import NEUTRAL, Pixels, decode_still

# What a camera takes; a larger one says no more about a face.
LIMITS: Final = Limits(max_frame_pixels=25_000_000, max_still_bytes=8 << 20)
# Whoever is enrolled shows their face clearly; what scores less is no face at all.
CLEARLY: Final = 0.5


def open_gallery(models: Models, settings: Settings) -> Gallery | None:
    """Opens the network and reads everybody who is enrolled; None where nobody is.

    Call it after the fork.

    Raises:
        AnonymizerError: model_missing, model_unusable, detector_failed, or one of the enrolment's codes.
    """
    if not settings.enrolled:
        return None
    embedder, finder = open_portraits(models, settings.threads)
    bounds = embedder.manifest.bounds
    vectors = np.stack([_vector_of(person, finder, embedder, bounds) for person in settings.enrolled])
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1)
    if (alike >= bounds.threshold).any():
        raise AnonymizerError("enrolment_ambiguous", "Two people look too much alike to this network.")
    return Gallery(tuple(person.role for person in settings.enrolled), vectors, bounds, embedder)


def open_portraits(models: Models, threads: int) -> tuple[FaceEmbedder, Finder]:
    """Opens what makes a vector of a face, and what finds the face in a picture.

    Raises:
        AnonymizerError: model_missing, model_unusable or detector_failed.
    """
    if models.face_embedding is None:
        raise AnonymizerError("model_missing", f"Whoever is enrolled is recognized by {FACE_EMBEDDING}.")
    network = EmbeddingNetwork(models.files[FACE_EMBEDDING], models.face_embedding, threads)
    clearly = Settings(faces=FaceSettings(threshold=CLEARLY), threads=threads)
    (finder,) = open_finders(models, clearly, is_still=True)
    return FaceEmbedder(network, models.landmarks), finder


def _vector_of(person: Enrolled, finder: Finder, embedder: FaceEmbedder, bounds: Bounds) -> Vector:
    if person.embedding:
        return read_vector(person.embedding, embedder.manifest.dimension)
    each = np.stack([seen_in(picture, finder, embedder) for picture in person.pictures])
    if (each @ each.T < bounds.least).any():
        raise AnonymizerError("enrolment_ambiguous", "The pictures of one person are not of one face.")
    return unit(each.mean(axis=0))


def read_vector(untrusted: bytes, dimension: int) -> Vector:
    """Returns (dimension,) of length one, from little-endian float32.

    Raises:
        AnonymizerError: enrolment_invalid.
    """
    if len(untrusted) != 4 * dimension:
        raise AnonymizerError("enrolment_invalid", f"The network's vectors have {dimension} numbers.")
    try:
        return unit(np.frombuffer(untrusted, "<f4"))
    except AnonymizerError:
        raise AnonymizerError("enrolment_invalid", "The vector has no direction.") from None


def seen_in(picture: bytes, finder: Finder, embedder: FaceEmbedder) -> Vector:
    """Returns (dimension,) of length one: the only face in a JPEG or PNG.

    Args:
        picture: the file, as it came.
        finder: finds faces.
        embedder: makes its vector.

    Raises:
        AnonymizerError: enrolment_invalid, enrolment_no_face, enrolment_many_faces or detector_failed.
    """
    image = decode_portrait(picture)
    planes = [Plane(image[:, :, i], 1, NEUTRAL) for i in range(image.shape[2])]
    height, width = image.shape[:2]
    found = finder.look(width, height, _copies_of(image))["face"]
    if len(found) > 1:
        raise AnonymizerError("enrolment_many_faces")
    vectors = [embedder.look(planes, width, height, Box(*(float(edge) for edge in row[:4]))) for row in found]
    if not vectors or vectors[0] is None:
        raise AnonymizerError("enrolment_no_face")
    return vectors[0]


def decode_portrait(untrusted: bytes) -> Pixels:
    """Returns (H, W, 1 or 3) uint8, BGR where there are colours, upright, from a JPEG or PNG.

    Raises:
        AnonymizerError: enrolment_invalid.
    """
    content = io.BytesIO(untrusted)
    try:
        kind = sniff(content)
        if kind not in {Format.JPEG, Format.PNG} or len(untrusted) > LIMITS.max_still_bytes:
            raise AnonymizerError("enrolment_invalid")
        check_whole(content, kind, LIMITS)
        still_header(untrusted, kind, LIMITS)
        return np.ascontiguousarray(decode_still(untrusted, kind)[:, :, :3])
    except AnonymizerError:
        raise AnonymizerError("enrolment_invalid", "A picture is a JPEG or PNG of at most 8 MiB.") from None


def _copies_of(image: Pixels) -> CopyAt:
    rgb = image.repeat(3, axis=2) if image.shape[2] == 1 else np.ascontiguousarray(image[:, :, ::-1])

    def copy_at(across: int, down: int) -> Image:
        return np.asarray(cv2.resize(rgb, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

    return copy_at
