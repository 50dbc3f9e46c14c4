"""The settings of the second round: wider covers, and a more sensitive search.

More sensitive by one step: where one look was enough so far, every face detector that is installed joins;
then comes a further pass; where there is none, a lower threshold. Everything at once would cover most of the
picture (measured in a concert hall: 81 % of it, against 21 before, and 41 with one step) and take twelve
times as long.

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

WIDER: Final = 1.3
MOST_SCALE: Final = 4.0
LOWER: Final = 0.75
LEAST_THRESHOLD: Final = 0.05
LONGER: Final = 1.5
LEAST_SECONDS: Final = 0.75
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
        faces = _more_sensitive(faces, models)
    people = None if settings.people is None else _lower(_wider(settings.people, freedom), freedom)
    text = None if settings.text is None else _lower(_wider(settings.text, freedom), freedom)
    plates = None if settings.plates is None else _lower(_wider(settings.plates, freedom), freedom)
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
    if freedom != "all":
        return made
    return replace(
        made,
        linger_seconds=_longer(cover.linger_seconds),
        lookahead_seconds=_longer(cover.lookahead_seconds),
    )


def _lower(cover: _Any, freedom: Freedom) -> _Any:
    if freedom == "covers alone":
        return cover
    lower = max(LEAST_THRESHOLD, cover.threshold * LOWER)
    return replace(cover, threshold=min(cover.threshold, lower))


def _longer(seconds: float) -> float:
    return min(MOST_SECONDS, max(LEAST_SECONDS, seconds * LONGER))


def _more_sensitive(faces: FaceSettings, models: Models) -> FaceSettings:
    looking = set(faces.detectors or DETECTORS["face"][:1])
    can = {name for name in DETECTORS["face"] if name in models.files}
    if models.blazeface is None:
        can.discard(BLAZEFACE)
    if faces.passes == 1 and not can <= looking:
        joined = tuple(name for name in DETECTORS["face"] if name in can | looking)
        return replace(faces, detectors=joined)
    if faces.passes < MOST_PASSES:
        return replace(faces, passes=faces.passes + 1)
    return _lower(faces, "all")
