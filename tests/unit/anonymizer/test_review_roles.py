"""A role given in a review: covered as the role is, kept where the role is, and everybody else as before."""

from __future__ import annotations

import pytest

from anonymizer import AnonymizerError, FaceSettings, PeopleSettings, Role, Settings
from anonymizer.boxes import Box
from anonymizer.review.deciding import Decided, Decider, Numbers, Seen
from anonymizer.review.decisions import Decisions, Span, TrackDecision
from anonymizer.settings import CoverSettings, Kind

WIDTH, HEIGHT = 640, 360
FACES = FaceSettings(effect="solid", shape="box", scale=1.5)
PEOPLE = PeopleSettings(effect="solid")
BLURRED = FaceSettings(effect="blur", shape="ellipse", scale=1.2)
SETTINGS = Settings(
    faces=FACES,
    people=PEOPLE,
    roles=(
        Role("student", {}),
        Role("teacher", {"face": BLURRED}),
        Role("speaker", {"face": None, "person": None}),
    ),
)
NUMBERS = Numbers([["face"], ["person"]])
FAR, NEAR = Box(400, 100, 460, 180), Box(110, 100, 170, 180)
HERE = Box(100, 100, 160, 180)


def decided(
    decisions: dict[int, TrackDecision],
    *seen: tuple[int, Box],
    time: float = 0.0,
    decider: Decider | None = None,
) -> Decided:
    things = [
        Seen(NUMBERS.kind_of(track), track, box, SETTINGS.sought[NUMBERS.kind_of(track)])
        for track, box in seen
    ]
    decider = decider or decider_of(decisions)
    return decider.decide(things, WIDTH, HEIGHT, time)


def decider_of(decisions: dict[int, TrackDecision]) -> Decider:
    return Decider(Decisions(tracks=decisions), SETTINGS.sought, NUMBERS, SETTINGS.as_role)


def role(name: str, span: Span | None = None) -> TrackDecision:
    return TrackDecision("role", role=name, span=span)


def face(number: int) -> int:
    return NUMBERS.track(0, "face", number)


def person(number: int) -> int:
    return NUMBERS.track(1, "person", number)


GIVEN: dict[str, tuple[str, Kind, CoverSettings | None]] = {
    "a teacher's face": ("teacher", "face", BLURRED),
    "a teacher's body, of which the role says nothing": ("teacher", "person", PEOPLE),
    "a student's face": ("student", "face", FACES),
    "a speaker's face": ("speaker", "face", None),
    "a speaker's body": ("speaker", "person", None),
}


@pytest.mark.parametrize(("name", "kind", "cover"), GIVEN.values(), ids=GIVEN)
def test_a_thing_is_covered_as_its_role_is(name: str, kind: Kind, cover: CoverSettings | None) -> None:
    mine, other = (face(0), face(1)) if kind == "face" else (person(0), person(1))
    found = decided({mine: role(name)}, (mine, HERE), (other, FAR))
    covers = {each.track: each.settings for each in found.covers}
    assert covers.pop(other) == SETTINGS.sought[kind]
    assert covers == ({} if cover is None else {mine: cover})
    assert [each.track for each in found.kept] == ([mine] if cover is None else [])


def test_a_speaker_who_meets_another_face_is_covered_from_there_on() -> None:
    """Whoever comes out of the meeting under this number may be the other one."""
    decider = decider_of({face(0): role("speaker")})
    alone = decided({}, (face(0), HERE), (face(1), FAR), decider=decider)
    meeting = decided({}, (face(0), HERE), (face(1), NEAR), time=1.0, decider=decider)
    after = decided({}, (face(0), HERE), (face(1), FAR), time=2.0, decider=decider)
    assert [len(each.kept) for each in (alone, meeting, after)] == [1, 0, 0]
    assert {cover.track: cover.settings for cover in after.covers} == {face(0): FACES, face(1): FACES}


def test_two_speakers_may_meet() -> None:
    decisions = {face(0): role("speaker"), face(1): role("speaker")}
    found = decided(decisions, (face(0), HERE), (face(1), NEAR))
    assert len(found.kept) == 2


def test_a_kept_face_does_not_uncover_the_body_that_it_lies_on() -> None:
    found = decided({face(0): role("speaker")}, (face(0), HERE), (person(0), Box(60, 90, 200, 350)))
    assert [cover.track for cover in found.covers] == [person(0)]


def test_only_the_effects_of_roles_that_are_given_are_wanted() -> None:
    assert decider_of({}).wanted == set()
    assert decider_of({face(0): role("teacher")}).wanted == {("blur", "face")}
    assert decider_of({face(0): role("speaker")}).wanted == set()


@pytest.mark.parametrize("name", ["", "headmaster", "Teacher"])
def test_a_role_that_there_is_not_ends_the_job(name: str) -> None:
    with pytest.raises(AnonymizerError) as refusal:
        decider_of({face(0): role(name)})
    assert refusal.value.code == "decisions_invalid"


BAD_ROLES = {
    "text has no role": {"text": FACES},
    "an effect that faces do not have": {"face": PeopleSettings(effect="remove")},
    "people who are not covered": {"person": PEOPLE},
}


@pytest.mark.parametrize("covers", BAD_ROLES.values(), ids=BAD_ROLES)
def test_a_role_that_makes_no_sense_is_refused(covers: dict[Kind, CoverSettings | None]) -> None:
    with pytest.raises(AnonymizerError) as refusal:
        Settings(faces=FACES, roles=(Role("odd", covers),))
    assert refusal.value.code == "settings_invalid"


def test_two_roles_of_one_name_are_refused() -> None:
    with pytest.raises(AnonymizerError):
        Settings(faces=FACES, roles=(Role("one", {"face": None}), Role("one", {"face": FACES})))
