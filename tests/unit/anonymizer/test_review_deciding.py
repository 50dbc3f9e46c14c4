"""What decisions do to a picture: more is always covered, less only where and when somebody said so."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer import AnonymizerError, FaceSettings, Limits, Models, Review, Settings, anonymize
from anonymizer.boxes import Box
from anonymizer.review.deciding import AsRole, Decided, Decider, Numbers, Seen
from anonymizer.review.decisions import Decisions, Drawn, Key, Span, TrackDecision
from anonymizer.settings import CoverSettings, Kind, PeopleSettings, Role, TextSettings
from tests.media_factory import face_clip, face_frames
from tests.media_probe import dlib_faces, pictures

WIDTH, HEIGHT = 640, 360
FACES, PEOPLE, TEXT = FaceSettings(), PeopleSettings(), TextSettings()
USUAL: dict[Kind, CoverSettings] = {"face": FACES, "person": PEOPLE, "text": TEXT}
# Two searches, as for faces and people: face n has the number 3 n, person n 3 n + 1, text n 3 n + 2.
NUMBERS = Numbers([["face"], ["person", "text"]])
A, B = Box(100, 100, 160, 180), Box(400, 100, 460, 180)


def decider(decisions: Decisions, as_role: AsRole | None = None) -> Decider:
    return Decider(decisions, USUAL, NUMBERS, as_role or Settings(people=PEOPLE, text=TEXT).as_role)


def face(track: int, box: Box) -> Seen:
    return Seen("face", track, box, FACES)


def on(track: int, do: str, **more: object) -> Decisions:
    return Decisions.of([(track, TrackDecision(do, **more))])  # type: ignore[arg-type]  # words from a table


def seen_at(made: Decider, seen: list[Seen], time: float = 0.0) -> Decided:
    return made.decide(seen, WIDTH, HEIGHT, time)


def test_numbers_are_each_given_once() -> None:
    places: list[tuple[int, Kind]] = [(0, "face"), (1, "person"), (1, "text")]
    numbers = {NUMBERS.track(*place, n): place for n in range(5) for place in places}
    assert len(numbers) == 15
    assert all(NUMBERS.kind_of(track) == kind for track, (_, kind) in numbers.items())
    assert [track for track in range(-1, 9) if NUMBERS.is_given(track, (2, 0, 1))] == [0, 2, 3]


def test_without_decisions_everything_is_covered_as_the_policy_says() -> None:
    decided = seen_at(decider(Decisions()), [face(0, A), face(3, B)])
    assert [(cover.track, cover.settings) for cover in decided.covers] == [(0, FACES), (3, FACES)]
    assert decided.kept == decided.blanked == ()


def test_one_is_kept_and_no_other() -> None:
    decided = seen_at(decider(on(3, "keep")), [face(0, A), face(3, B)])
    assert [cover.track for cover in decided.covers] == [0]
    assert [kept.track for kept in decided.kept] == [3]


MEETINGS: dict[str, tuple[Seen, bool]] = {
    "another face that overlaps": (face(0, B.moved(20, 0)), True),
    "another face beside it": (face(0, B.moved(50, 0)), True),
    "another face far away": (face(0, A), False),
    "a small face in front of it": (face(0, Box(425, 130, 432, 138)), False),
    "the person whose face it is": (Seen("person", 1, Box(380, 90, 480, 350), PEOPLE), False),
}


@pytest.mark.parametrize("case", MEETINGS)
def test_who_could_be_taken_for_another_is_covered_from_there_on(case: str) -> None:
    other, meets = MEETINGS[case]
    made = decider(on(3, "keep"))
    alone = [face(3, B)]
    assert seen_at(made, alone, 0.0).kept
    assert bool(seen_at(made, [other, *alone], 1.0).kept) is not meets
    assert bool(seen_at(made, alone, 2.0).kept) is not meets


def test_two_that_are_both_kept_may_meet() -> None:
    kept = Decisions({0: TrackDecision("keep"), 3: TrackDecision("keep")})
    assert len(seen_at(decider(kept), [face(0, B), face(3, B)]).kept) == 2


def test_whoever_is_kept_for_a_span_is_kept_in_it_alone_and_whomever_they_meet() -> None:
    made = decider(on(3, "keep", span=Span(1.0, 2.0)))
    both = [face(0, B.moved(20, 0)), face(3, B)]
    kept = {time: bool(seen_at(made, both, time).kept) for time in (0.0, 0.99, 1.0, 1.99, 2.0, 3.0)}
    assert kept == {0.0: False, 0.99: False, 1.0: True, 1.99: True, 2.0: False, 3.0: False}


def test_whoever_is_kept_uncovers_nobody_behind_them() -> None:
    behind = face(0, B.moved(10, 0))
    (alone,) = seen_at(decider(Decisions()), [behind]).covers
    (cover,) = seen_at(decider(on(3, "keep", span=Span(0, 9))), [behind, face(3, B)]).covers
    assert np.array_equal(cover.region.coarse, alone.region.coarse)
    assert (cover.region.left, cover.region.top) == (alone.region.left, alone.region.top)


def test_stronger_is_solid_and_larger() -> None:
    made = decider(on(3, "stronger"))
    (cover,) = seen_at(made, [Seen("face", 3, B, replace(FACES, effect="blur"))]).covers
    (usual,) = seen_at(decider(Decisions()), [face(3, B)]).covers
    assert (cover.settings.effect, cover.settings.shape) == ("solid", "box")
    assert cover.region.coarse.sum() > 2 * usual.region.coarse.sum()
    assert made.wanted == {("solid", "face")}


def test_another_effect_for_one() -> None:
    made = decider(on(1, "effect", effect="remove"))
    covers = seen_at(made, [Seen("person", 1, B, PEOPLE), Seen("person", 4, A, PEOPLE)]).covers
    assert [cover.settings.effect for cover in covers] == ["remove", PEOPLE.effect]
    assert made.wanted == {("remove", "person")}


ROLES = Settings(
    people=PEOPLE,
    roles=(
        Role("student", {}),
        Role("teacher", {"face": replace(FACES, effect="warp"), "person": None}),
    ),
)


def test_a_role_covers_otherwise_and_shows_until_taken_for_another() -> None:
    decisions = Decisions({n: TrackDecision("role", "teacher") for n in (3, 4)})
    made = decider(decisions, ROLES.as_role)
    everybody = [face(0, A), face(3, B), Seen("person", 1, A, PEOPLE), Seen("person", 4, B, PEOPLE)]
    decided = seen_at(made, everybody)
    effects = {cover.track: cover.settings.effect for cover in decided.covers}
    assert effects == {0: FACES.effect, 3: "warp", 1: PEOPLE.effect}
    assert [kept.track for kept in decided.kept] == [4]
    crossed = seen_at(made, [Seen("person", 1, B, PEOPLE), Seen("person", 4, B, PEOPLE)], 1.0)
    assert [cover.settings for cover in crossed.covers] == [PEOPLE, PEOPLE]


NOT_POSSIBLE: dict[str, Decisions] = {
    "an effect of other things": on(2, "effect", effect="remove"),
    "a role that there is not": on(0, "role", role="headmaster"),
}


@pytest.mark.parametrize("case", NOT_POSSIBLE)
def test_what_cannot_be_done_is_refused(case: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        decider(NOT_POSSIBLE[case])
    assert caught.value.code == "decisions_invalid"


def test_a_drawn_box_moves_from_key_to_key_and_stays_beyond_them() -> None:
    drawn = Drawn(Span(0, 10), (Key(2, 0.0, 0.0, 0.2, 0.2), Key(4, 0.4, 0.5, 0.6, 0.7)))
    where = {time: drawn.at(time, 100, 100) for time in (0.0, 2.0, 3.0, 4.0, 9.0)}
    assert [(round(box.x1, 6), round(box.y1, 6)) for box in where.values()] == [
        (0, 0),
        (0, 0),
        (20, 25),
        (40, 50),
        (40, 50),
    ]
    still = Drawn(Span(0, 10), (Key(5, 0.1, 0.1, 0.2, 0.2),))
    assert still.at(0, 100, 100) == still.at(9, 100, 100) == Box(10, 10, 20, 20)


@pytest.mark.parametrize(
    "made",
    [
        lambda: Span(2, 2),
        lambda: Span(-1, 2),
        lambda: Span(0, float("nan")),
        lambda: Key(0, 0.5, 0, 0.5, 1),
        lambda: Key(0, 0, 0, 1, 1.1),
        lambda: Key(0, float("nan"), 0, 1, 1),
        lambda: Drawn(Span(0, 1), ()),
        lambda: Drawn(Span(0, 1), (Key(1, 0, 0, 1, 1), Key(1, 0, 0, 1, 1))),
        lambda: Review(b"", Decisions()),
    ],
    ids=[
        "empty",
        "before the video",
        "nan",
        "flat",
        "outside",
        "nan box",
        "no keys",
        "keys twice",
        "no record",
    ],
)
def test_what_is_no_decision_is_refused(made: Callable[[], object]) -> None:
    with pytest.raises(AnonymizerError) as caught:
        made()
    assert caught.value.code == "decisions_invalid"


Pixels = npt.NDArray[np.uint8]
FPS = 12


@pytest.fixture(scope="module")
def twice(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Decisions], list[Pixels]]:
    """Two faces side by side, reviewed once; then the pictures that decisions give."""
    folder = tmp_path_factory.mktemp("deciding")
    alone = face_frames(2, FPS, (320, 360), still=True)[:18]
    frames = [np.hstack([frame, np.ascontiguousarray(frame[:, ::-1])]) for frame in alone]
    source = face_clip(folder / "in.mp4", fps=FPS, frames=frames, audio=False).read_bytes()
    settings = Settings(mode="fast", faces=FaceSettings(shape="box"))
    assert dlib_faces(pictures(folder / "in.mp4")[6]) == 2

    def go(review: Review) -> None:
        with (folder / "out.mp4").open("w+b") as sink:
            anonymize(
                io.BytesIO(source), sink, settings=settings, models=models, limits=Limits(), review=review
            )

    first = Review()
    go(first)
    assert len([track for track in first.sheet.tracks if track.frames == len(frames)]) == 2

    def decide(decisions: Decisions) -> list[Pixels]:
        go(Review(first.record, decisions))
        return pictures(folder / "out.mp4")

    return decide


def test_only_the_one_who_was_kept_is_seen(twice: Callable[[Decisions], list[Pixels]]) -> None:
    assert not any(dlib_faces(picture) for picture in twice(Decisions())[::6])
    shown = twice(on(1, "keep"))[::6]
    assert all(dlib_faces(picture) == 1 for picture in shown)
    halves = [[dlib_faces(np.ascontiguousarray(half)) for half in np.hsplit(picture, 2)] for picture in shown]
    assert halves in ([[1, 0]] * len(shown), [[0, 1]] * len(shown))


def test_a_whole_frame_shows_nothing_and_its_neighbours_all(
    twice: Callable[[Decisions], list[Pixels]],
) -> None:
    plain = twice(Decisions(whole_frames=(Span(6 / FPS, 12 / FPS),)))
    spread = [float(picture.std()) for picture in plain]
    assert max(spread[6:12]) < 2
    assert min(spread[:6] + spread[12:]) > 20


def test_a_drawn_box_covers_what_is_under_it_and_nothing_else(
    twice: Callable[[Decisions], list[Pixels]],
) -> None:
    usual = twice(Decisions())
    drawn = twice(Decisions(drawn=(Drawn(Span(0, 9 / FPS), (Key(0, 0.0, 0.75, 0.25, 1.0),)),)))
    inside = np.s_[274:356, 4:156]
    assert max(float(picture[inside].std()) for picture in drawn[:9]) < 3
    assert min(float(picture[inside].std()) for picture in drawn[9:]) > 5
    outside = [np.abs(a.astype(int) - b)[:260, 200:].mean() for a, b in zip(usual, drawn, strict=True)]
    assert max(outside) < 1


def test_a_decision_about_somebody_who_was_never_seen_is_refused(
    twice: Callable[[Decisions], list[Pixels]],
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        twice(on(4000, "keep"))
    assert caught.value.code == "decisions_invalid"


def test_every_decision_has_its_line() -> None:
    """`Decisions.of` loses nothing."""
    span = Span(0, 1)
    drawn = Drawn(span, (Key(0, 0, 0, 1, 1),))
    decided = Decisions.of([(3, TrackDecision("keep")), span, drawn, (4, TrackDecision("cover")), span])
    assert decided == Decisions({3: TrackDecision("keep"), 4: TrackDecision("cover")}, (span, span), (drawn,))
