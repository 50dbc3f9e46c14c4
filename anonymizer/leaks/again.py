"""The settings of the second round: wider covers, and a more sensitive search.

A job that replays a record can only cover wider: what it sees is what the record says, and with other times
its trackers would count otherwise. One that keeps a record searches more sensitively as well, but leaves the
times as they are, so that the record can be replayed by the policy.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal, TypeVar

from anonymizer.models import BLAZEFACE, Models
from anonymizer.settings import DETECTORS, MOST_PASSES, CoverSettings, FaceSettings, Role, Settings

# What the second round may change.
Freedom = Literal["all", "not the times", "covers alone"]

WIDER: Final = 1.5
MOST_SCALE: Final = 4.0
MORE_SENSITIVE: Final = 0.6
LEAST_THRESHOLD: Final = 0.05
LONGER: Final = 2.0
LEAST_SECONDS: Final = 1.0
MOST_SECONDS: Final = 10.0

_Any = TypeVar("_Any", bound=CoverSettings)


def wider(settings: Settings, models: Models, freedom: Freedom) -> Settings:
    """Returns the settings with which a result that did not hold is made once more.

    Args:
        settings: of the first round.
        models: every face detector that is installed joins.
        freedom: what may change.
    """
    faces = _wider(settings.faces, freedom)
    if freedom != "covers alone":
        faces = replace(faces, passes=MOST_PASSES, detectors=_face_detectors(faces, models))
    people = None if settings.people is None else _wider(settings.people, freedom)
    text = None if settings.text is None else _wider(settings.text, freedom)
    plates = None if settings.plates is None else _wider(settings.plates, freedom)
    roles = tuple(
        Role(
            role.name,
            {kind: None if cover is None else _wider(cover, freedom) for kind, cover in role.covers.items()},
            role.audio,
        )
        for role in settings.roles
    )
    return replace(settings, faces=faces, people=people, text=text, plates=plates, roles=roles)


def _wider(cover: _Any, freedom: Freedom) -> _Any:
    made = replace(cover, scale=min(MOST_SCALE, cover.scale * WIDER))
    if freedom == "covers alone":
        return made
    made = replace(
        made, threshold=min(cover.threshold, max(LEAST_THRESHOLD, cover.threshold * MORE_SENSITIVE))
    )
    if freedom == "not the times":
        return made
    return replace(
        made,
        linger_seconds=_longer(cover.linger_seconds),
        lookahead_seconds=_longer(cover.lookahead_seconds),
    )


def _longer(seconds: float) -> float:
    return min(MOST_SECONDS, max(LEAST_SECONDS, seconds * LONGER))


def _face_detectors(faces: FaceSettings, models: Models) -> tuple[str, ...]:
    """Returns those that looked, and all others that can."""
    installed = {name for name in DETECTORS["face"] if name in models.files}
    if models.blazeface is None:
        installed.discard(BLAZEFACE)
    wanted = faces.detectors or DETECTORS["face"][:1]
    return tuple(name for name in DETECTORS["face"] if name in installed or name in wanted)
