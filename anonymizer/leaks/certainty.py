"""Whether what one network took for a face is one: three are asked, each at several distances.

A face stays one however much of its surroundings is seen; a scarf, a fist or a galaxy is one at some distance
only. The answers' log odds are weighed and added. The weights are those of a logistic regression over 703
faces and 979 other things that the first network suspected in shared clips, covered and not (docs/leaks.md).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from anonymizer.boxes import Box, Boxes
from anonymizer.detect.blazeface import BlazeNetwork
from anonymizer.detect.blazeface_decoding import SIDE as SHORT_SIDE
from anonymizer.detect.blazeface_decoding import faces_from
from anonymizer.detect.contract import Image
from anonymizer.detect.full_range import SIDE as FULL_SIDE
from anonymizer.detect.full_range import FullRangeNetwork
from anonymizer.landmarks.networks import MESH_SIDE, FaceNetworks
from anonymizer.leaks.squares import Pyramid

# What each network sees, as multiples of the suspected box.
ROOMS_OF_FULL_RANGE: Final = (3.2, 6.0, 2.2, 1.6)
ROOM_OF_SHORT_RANGE: Final = 3.2
ROOMS_OF_MESH: Final = (1.7, 1.5, 2.0)
# Weights of log odds: of the first suspicion, of the mean over distances, and of the two others.
OF_SUSPICION: Final = 1.0
OF_FULL_RANGE: Final = 1.45
OF_SHORT_RANGE: Final = 1.15
OF_MESH: Final = 0.3
BEGIN: Final = 3.7
# From here on it is a face: 73 of 100 that CenterFace is sure of are. Of the 979 other things the one that
# is most like a face reaches 2.3; in a thousand frames of results one pair of hands reached 3.8.
CERTAIN: Final = 4.5
# A network means the same thing where its box has its middle this near, in shares of the suspected box.
NEAR: Final = 0.35
# What is fainter is no answer, and whatever overlaps would have to be compared.
_FAINTEST: Final = 0.02
# No answer counts for more than this: odds of 1000 to 1.
_LEAST, _MOST = 0.001, 0.999
_MOST_ODDS: Final = float(np.log(_MOST / (1 - _MOST)))
# The full-range network is seldom surer of a face, and never on average.
_MOST_ODDS_OF_FULL_RANGE: Final = float(np.log(0.92 / 0.08))


class Judge:
    """Asks all three."""

    def __init__(self, full_range: FullRangeNetwork, short_range: BlazeNetwork, mesh: FaceNetworks) -> None:
        """Takes the networks."""
        self._full_range = full_range
        self._short_range = short_range
        self._mesh = mesh

    def is_face(self, picture: Pyramid, face: Box, suspicion: float) -> bool:
        """Tells whether a suspected face is one. Nobody is asked any more once it cannot be.

        Args:
            picture: the frame.
            face: where, in its pixels.
            suspicion: how sure the first network was, 0 to 1.

        Raises:
            AnonymizerError: detector_failed.
        """
        sum_of_others = (
            BEGIN + OF_SUSPICION * _odds(suspicion) + OF_SHORT_RANGE * _odds(self._short(picture, face))
        )
        known = sum_of_others + OF_FULL_RANGE * _MOST_ODDS_OF_FULL_RANGE
        of_rooms = 0.0
        for looked, room in enumerate(ROOMS_OF_FULL_RANGE, 1):
            score = self._full(picture.around(face, room, FULL_SIDE), room)
            of_rooms += min(_odds(score), _MOST_ODDS_OF_FULL_RANGE)
            at_best = of_rooms + (len(ROOMS_OF_FULL_RANGE) - looked) * _MOST_ODDS_OF_FULL_RANGE
            known = sum_of_others + OF_FULL_RANGE * at_best / len(ROOMS_OF_FULL_RANGE)
            if known + OF_MESH * _MOST_ODDS < CERTAIN:
                return False
        if known - OF_MESH * _MOST_ODDS >= CERTAIN:
            return True
        presences = [self._mesh.mesh(picture.around(face, room, MESH_SIDE))[1] for room in ROOMS_OF_MESH]
        return known + OF_MESH * float(np.mean([_odds(each) for each in presences])) >= CERTAIN

    def _full(self, square: Image, room: float) -> float:
        return _score_in_middle(self._full_range.faces(square, _FAINTEST), FULL_SIDE, room)

    def _short(self, picture: Pyramid, face: Box) -> float:
        answer = self._short_range.run(picture.around(face, ROOM_OF_SHORT_RANGE, SHORT_SIDE))
        return _score_in_middle(faces_from(*answer, _FAINTEST), SHORT_SIDE, ROOM_OF_SHORT_RANGE)


def _score_in_middle(boxes: Boxes, side: int, room: float) -> float:
    """Returns the best score of a face in the middle of a square that shows `room` times its box."""
    away = np.abs((boxes[:, :2] + boxes[:, 2:4]) / 2 - side / 2)
    near = away.max(axis=1, initial=0) < NEAR * side / room
    return float(boxes[near, 4].max(initial=0))


def _odds(score: float) -> float:
    within = min(max(score, _LEAST), _MOST)
    return float(np.log(within / (1 - within)))
