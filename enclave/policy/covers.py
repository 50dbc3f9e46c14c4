"""How faces, people, text and plates are found and covered: the vocabulary, and one table of a policy."""

from __future__ import annotations

from dataclasses import dataclass

from enclave.errors import PolicyError
from enclave.policy.fields import Table

_ON_ANYTHING = ("solid", "blur", "mosaic")
FACE_EFFECTS = (*_ON_ANYTHING, "persona", "swap", "warp", "generator")
# Those that are otherwise for each person, and the same again for the same pseudonym.
EFFECTS_BY_PSEUDONYM = ("persona", "swap", "generator", "warp")
PEOPLE_EFFECTS = (*_ON_ANYTHING, "remove", "silhouette")
TEXT_EFFECTS = _ON_ANYTHING
SHAPES = ("box", "ellipse")
OUTLINES = ("box", "mask")
OVERLAYS = ("none", "skeleton")
SMOOTH_OUTLINE, SMOOTH_SECONDS = 0.04, 0.3
# Who may look; the first is what looks by default, custom-... what the operator has added (docs/models.md).
FACE_DETECTORS = ("centerface", "mediapipe-face", "custom-face")
PEOPLE_DETECTORS = ("mediapipe-pose", "steady-camera", "custom-person")
TEXT_DETECTORS = ("ppocr-text", "custom-text")
PLATE_DETECTORS = ("ppocr-text", "custom-plate")
MAX_KEPT_REGIONS = 16
NO_LABELS = "none"
LABELS = (NO_LABELS, "letters")


@dataclass(frozen=True)
class FacePolicy:
    """How faces are found and covered.

    Attributes:
        effect: one of FACE_EFFECTS.
        shape: "box" or "ellipse".
        scale: width and height of the cover, as a multiple of the detected face's (1.0 to 3.0).
        threshold: detector score from which something counts as a face (0.05 to 0.9); lower finds more.
        passes: looks at each frame that is searched (1 to 3): as the mode says; larger, with a lower
            threshold; mirrored.
        linger_seconds: how long a cover stays where a face was last seen (0 to 10).
        lookahead_seconds: how long before its first detection a face is covered (0 to 10).
        detectors: names of detectors; what any of them finds is covered.
    """

    effect: str
    shape: str
    scale: float
    threshold: float
    passes: int
    linger_seconds: float
    lookahead_seconds: float
    detectors: tuple[str, ...] = FACE_DETECTORS[:1]


@dataclass(frozen=True)
class CoverPolicy:
    """How whole people, text, or the text that has the shape of a number plate are found and covered.

    Attributes:
        effect, shape, scale, linger_seconds, lookahead_seconds: as for faces.
        threshold: from which likelihood something counts (0.05 to 0.9): that a body's points are somewhere,
            or the mean that pixels are text; lower finds more.
        detectors: names of detectors; what any of them finds is covered.
    """

    effect: str
    shape: str
    scale: float
    threshold: float
    linger_seconds: float
    lookahead_seconds: float
    detectors: tuple[str, ...]


@dataclass(frozen=True)
class PeoplePolicy(CoverPolicy):
    """How whole people are found and covered; the rest is for the effects "remove" and "silhouette".

    Attributes:
        outline: "box" changes the picture under the whole cover, "mask" where it is sure which pixels are the
            person's under those alone, with a margin.
        overlay: what is drawn where somebody is: "none" or "skeleton".
        smooth_outline: by which share of the body's size a silhouette is smoothed (0 to 0.2).
        smooth_seconds: the time constant with which limbs and outlines follow (0 to 5).
    """

    outline: str = OUTLINES[0]
    overlay: str = OVERLAYS[0]
    smooth_outline: float = SMOOTH_OUTLINE
    smooth_seconds: float = SMOOTH_SECONDS


@dataclass(frozen=True)
class KeptRegion:
    """Where text and plates may stay: a channel's logo. A face there is covered all the same.

    Attributes:
        left, top, right, bottom: shares of the picture's width and height (0 to 1).
    """

    left: float
    top: float
    right: float
    bottom: float


def read_faces(table: Table) -> FacePolicy:
    """Reads `[faces]`; the caller finishes the table.

    Raises:
        PolicyError: a key is missing or wrong.
    """
    return FacePolicy(
        effect=table.choice("effect", FACE_EFFECTS),
        shape=table.choice("shape", SHAPES),
        scale=table.number("scale", 1.0, 3.0),
        threshold=table.number("threshold", 0.05, 0.9),
        passes=table.count("passes", 1, 3),
        linger_seconds=table.number("linger_seconds", 0.0, 10.0),
        lookahead_seconds=table.number("lookahead_seconds", 0.0, 10.0),
        detectors=table.choices_or("detectors", FACE_DETECTORS, FACE_DETECTORS[:1]),
    )


def read_cover(
    table: Table | None, effects: tuple[str, ...], detectors: tuple[str, ...]
) -> CoverPolicy | None:
    if table is None:
        return None
    found = CoverPolicy(
        effect=table.choice("effect", effects),
        shape=table.choice("shape", SHAPES),
        scale=table.number("scale", 1.0, 3.0),
        threshold=table.number("threshold", 0.05, 0.9),
        linger_seconds=table.number("linger_seconds", 0.0, 10.0),
        lookahead_seconds=table.number("lookahead_seconds", 0.0, 10.0),
        detectors=table.choices_or("detectors", detectors, detectors[:1]),
    )
    table.finish()
    return found


def read_people(table: Table | None) -> PeoplePolicy | None:
    """Reads `[people]`.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return None
    outline = table.choice("outline", OUTLINES, OUTLINES[0])
    overlay = table.choice("overlay", OVERLAYS, OVERLAYS[0])
    smooth_outline = table.number("smooth_outline", 0.0, 0.2, SMOOTH_OUTLINE)
    smooth_seconds = table.number("smooth_seconds", 0.0, 5.0, SMOOTH_SECONDS)
    cover = read_cover(table, PEOPLE_EFFECTS, PEOPLE_DETECTORS)
    return (
        None
        if cover is None
        else PeoplePolicy(
            **vars(cover),
            outline=outline,
            overlay=overlay,
            smooth_outline=smooth_outline,
            smooth_seconds=smooth_seconds,
        )
    )


def read_labels(table: Table | None) -> str:
    """Reads `[labels]`, which may be left out.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return NO_LABELS
    labels = table.choice("faces", LABELS)
    table.finish()
    return labels


def read_kept(table: Table) -> KeptRegion:
    """Reads one of `[[keep]]`.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    left, top, right, bottom = (table.number(edge, 0.0, 1.0) for edge in ("left", "top", "right", "bottom"))
    table.finish()
    if left >= right or top >= bottom:
        raise PolicyError("policy: keep needs left before right and top before bottom")
    return KeptRegion(left, top, right, bottom)
