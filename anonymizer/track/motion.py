"""Where a face is going: a Kalman filter of constant velocity for the centre of its box.

Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960. Both axes have the same noise, so
they share one covariance; it is in sizes of the face, so that near and far faces behave alike, and none of it
depends on the size. Two numbers a side need no matrices.
"""

from __future__ import annotations

from dataclasses import dataclass

from anonymizer.boxes import Box

# Shares of the face's size. A detection's centre jitters by this much,
JITTER = 0.06
# a face that nothing is known of moves this far in a second,
FIRST_SPEED = 3.0
# and its speed changes by this much in a second.
SPEED_CHANGE = 4.0


@dataclass(frozen=True)
class Motion:
    """What is known after a detection.

    Attributes:
        time: of the detection, in seconds.
        x, y: the centre in pixels.
        dx, dy: its speed in pixels a second.
        pp, pv, vv: the covariance of place and speed, in sizes squared, by second and second squared.
    """

    time: float
    x: float
    y: float
    dx: float
    dy: float
    pp: float
    pv: float
    vv: float

    @classmethod
    def begin(cls, time: float, box: Box, dx: float = 0.0, dy: float = 0.0) -> Motion:
        """Starts from one detection, with a first guess of the speed."""
        x, y = box.centre
        return cls(time, x, y, dx, dy, JITTER**2, 0.0, FIRST_SPEED**2)

    def at(self, time: float) -> tuple[float, float]:
        """Returns the centre expected at a time."""
        ahead = time - self.time
        return self.x + self.dx * ahead, self.y + self.dy * ahead

    def seen(self, time: float, box: Box) -> Motion:
        """Returns what is known after one more detection, earlier or later than the last."""
        ahead = time - self.time
        x, y = self.at(time)
        change = SPEED_CHANGE**2 * abs(ahead)
        pp = self.pp + 2 * ahead * self.pv + ahead**2 * self.vv + change * ahead**2 / 3
        pv = self.pv + ahead * self.vv + change * ahead / 2
        vv = self.vv + change
        to_place, to_speed = pp / (pp + JITTER**2), pv / (pp + JITTER**2)
        (seen_x, seen_y) = box.centre
        return Motion(
            time,
            x + to_place * (seen_x - x),
            y + to_place * (seen_y - y),
            self.dx + to_speed * (seen_x - x),
            self.dy + to_speed * (seen_y - y),
            (1 - to_place) * pp,
            (1 - to_place) * pv,
            vv - to_speed * pv,
        )
