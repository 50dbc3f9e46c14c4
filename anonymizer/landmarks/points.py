"""Which point of the face mesh is what (numbers of mediapipe's topology; docs of `face_landmarker`).

"Near" is the side of the person's right eye, which lies at the picture's left; "far" the other.
"""

from __future__ import annotations

from typing import Final

MESH_POINTS: Final = 468
# An iris: its middle, then right, top, left and bottom of its rim.
IRIS_POINTS: Final = 5
# An eye's outline as the iris network draws it: from the outer corner along the lower lid to the inner one,
# then along the upper lid between them.
OUTLINE_POINTS: Final = 16
LOWER_LID: Final = slice(0, 9)
UPPER_LID: Final = slice(9, 16)

NEAR_EYE: Final = (33, 133)  # outer and inner corner
FAR_EYE: Final = (263, 362)
EYES: Final = (NEAR_EYE, FAR_EYE)
# The same outline in the mesh's points.
OUTLINES: Final = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
)
BROWS: Final = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
MOUTH_CORNERS: Final = (61, 291)
INNER_LIPS: Final = (13, 14)  # the middle of the upper and of the lower one
OUTER_LIPS: Final = (0, 17)
CHIN: Final = 152
FOREHEAD: Final = 10
NOSE_TIP: Final = 1

# What hardly moves whatever a face does: temples, forehead, the bridge of the nose, corners of the eyes,
# sides of the face above the jaw.
RIGID: Final = (
    *(10, 151, 9, 8, 168, 6, 197, 195, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251),
    *(162, 389, 127, 356, 33, 133, 263, 362, 234, 454, 98, 327, 129, 358, 116, 345),
)
# Pairs that mirror each other, for whatever needs both halves alike.
MIRRORED: Final = (
    *((109, 338), (67, 297), (103, 332), (54, 284), (21, 251), (162, 389), (127, 356)),
    *((33, 263), (133, 362), (234, 454), (98, 327), (129, 358), (116, 345)),
)
