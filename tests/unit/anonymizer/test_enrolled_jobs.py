"""Enrolled people in real jobs: whoever is recognized is shown, and nobody else in any frame."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest
from enrolled_faces import (
    DIMENSION,
    Placed,
    ana,
    ben,
    file_of,
    frames_of,
    manifest_text,
    network,
    with_network,
)
from media_factory import face_clip, face_picture

from anonymizer import AnonymizerError, Enrolled, Limits, Models, Report, Review, Role, Settings, anonymize
from anonymizer.enrolled.portraits import open_gallery
from anonymizer.review.decisions import Decisions, TrackDecision
from anonymizer.settings import CoverSettings, FaceSettings

Pixels = npt.NDArray[np.uint8]
Run = Callable[..., tuple[bytes, Report]]

SPEAKER = Role("speaker", {"face": None})
ANA = Enrolled("speaker", (file_of(ana()),))
SETTINGS = Settings(mode="fast", roles=(SPEAKER,), enrolled=(ANA,), faces=FaceSettings(shape="box"))
# Where the face is in the pictures of both, and how much a patch over it may still be like it: encoding
# alone changes a pixel by 4 of 255 on the mean, a solid cover by over 40.
TOP, BOTTOM, LEFT, RIGHT = 60, 140, 70, 140
COVERED, UNCHANGED = 25.0, 10.0


@pytest.fixture(scope="module")
def knowing(models: Models) -> Models:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    content = network()
    return with_network(models, content, manifest_text(content))


@pytest.fixture
def run(knowing: Models) -> Run:
    def go(
        source: bytes,
        settings: Settings = SETTINGS,
        models: Models | None = None,
        review: Review | None = None,
    ) -> tuple[bytes, Report]:
        sink = io.BytesIO()
        report = anonymize(
            io.BytesIO(source),
            sink,
            settings=settings,
            models=models or knowing,
            limits=Limits(),
            review=review,
        )
        return sink.getvalue(), report

    return go


@pytest.fixture
def film(tmp_path: Path) -> Callable[[int, Sequence[Placed]], bytes]:
    def make(count: int, people: Sequence[Placed]) -> bytes:
        clip = face_clip(tmp_path / "in.mp4", fps=25, frames=frames_of(count, people), audio=False)
        return clip.read_bytes()

    return make


def decoded(video: bytes) -> list[Pixels]:
    return [frame.to_ndarray(format="rgb24") for frame in av.open(io.BytesIO(video)).decode(video=0)]


def changed(original: Sequence[Pixels], result: Sequence[Pixels], who: Placed) -> list[float | None]:
    """By how much the face of somebody differs in each frame, 0 to 255; None where they are not there."""
    assert len(original) == len(result)
    told: list[float | None] = []
    for index, (before, after) in enumerate(zip(original, result, strict=True)):
        place = who[1](index)
        if place is None:
            told.append(None)
            continue
        left, top = place
        part = slice(top + TOP, top + BOTTOM), slice(left + LEFT, left + RIGHT)
        told.append(float(np.abs(before[part].astype(int) - after[part]).mean()))
    return told


def test_one_is_shown_and_the_other_covered_in_every_frame(run: Run, film: Callable[..., bytes]) -> None:
    first: Placed = (ana(), lambda i: (40 + i, 60))
    second: Placed = (ben(), lambda i: (400 - i, 80))
    source = film(40, [first, second])
    result, report = run(source)
    hers, his = (changed(decoded(source), decoded(result), who) for who in (first, second))
    assert min(his) > COVERED  # type: ignore[type-var] - he is in every frame
    shown = [value < UNCHANGED for value in hers if value is not None]
    # Not before she was seen for a while; from then on always.
    assert shown.index(True) >= 0.3 * 25
    assert all(shown[shown.index(True) :])
    assert sum(shown) > 25
    assert report.recognized == (sum(shown), 1)
    assert all(value > COVERED for value in hers[: shown.index(True)] if value is not None)


def test_a_face_that_takes_hers_in_one_place_is_never_shown(run: Run, film: Callable[..., bytes]) -> None:
    first: Placed = (ana(), lambda i: (200, 60) if i < 20 else None)
    second: Placed = (ben(), lambda i: (200, 60) if i >= 20 else None)
    source = film(40, [first, second])
    result, report = run(source)
    original, made = decoded(source), decoded(result)
    his = [value for value in changed(original, made, second) if value is not None]
    hers = [value for value in changed(original, made, first) if value is not None]
    # No cut is found, and one track goes on from her to him: only looking at every frame tells.
    assert report.tracks == 1
    assert len(his) == 20
    assert min(his) > COVERED
    assert min(hers) < UNCHANGED


def test_two_who_cross(run: Run, film: Callable[..., bytes]) -> None:
    first: Placed = (ana(), lambda i: (20 + 5 * i, 60))
    second: Placed = (ben(), lambda i: (420 - 5 * i, 80))
    source = film(80, [first, second])
    result, report = run(source)
    original, made = decoded(source), decoded(result)
    his = [value for value in changed(original, made, second) if value is not None]
    hers = [value for value in changed(original, made, first) if value is not None]
    assert min(his) > COVERED
    # She is shown before and after, and covered where they are near each other.
    apart = [abs((20 + 5 * i) - (420 - 5 * i)) for i in range(80)]
    assert all(value > UNCHANGED for value, far in zip(hers, apart, strict=True) if far < 60)
    assert min(hers[:35]) < UNCHANGED
    assert min(hers[60:]) < UNCHANGED
    assert report.recognized[0] < 60


def test_whoever_looks_alike_and_whoever_is_small_stays_covered(
    run: Run, film: Callable[..., bytes], knowing: Models
) -> None:
    alike = cv2.addWeighted(ana(), 0.4, ben(), 0.6, 0)
    likeness = cosine(knowing, alike)
    assert knowing.face_embedding is not None
    assert 0.8 < likeness < knowing.face_embedding.bounds.threshold
    small = cv2.resize(ana(), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    first: Placed = (alike, lambda i: (60 + i, 60))
    second: Placed = (small, lambda i: (450, 100 + i))
    source = film(40, [first, second])
    result, report = run(source)
    assert report.recognized == (0, 0)
    assert report.tracks == 2
    original, made = decoded(source), decoded(result)
    his = [value for value in changed(original, made, first) if value is not None]
    assert min(his) > COVERED
    for index in range(40):
        part = slice(100 + index + 26, 100 + index + 54), slice(480, 504)
        assert np.abs(original[index][part].astype(int) - made[index][part]).mean() > COVERED


def cosine(knowing: Models, picture: Pixels) -> float:
    one, other = (
        open_gallery(knowing, replace(SETTINGS, enrolled=(Enrolled("speaker", (file_of(each),)),)))
        for each in (ana(), picture)
    )
    assert one is not None
    assert other is not None
    return float(one.vectors[0] @ other.vectors[0])


def test_two_people_have_two_roles_and_a_weaker_effect_is_opened_for_one(
    run: Run, film: Callable[..., bytes]
) -> None:
    blurred = Role("guest", {"face": CoverSettings(effect="mosaic", shape="box")})
    both = replace(SETTINGS, roles=(SPEAKER, blurred), enrolled=(ANA, Enrolled("guest", (file_of(ben()),))))
    first: Placed = (ana(), lambda i: (40, 60))
    second: Placed = (ben(), lambda i: (400, 80))
    source = film(20, [first, second])
    result, report = run(source, both)
    assert report.recognized == (report.recognized[0], 2)
    original, made = decoded(source), decoded(result)
    assert (changed(original, made, first)[-1] or 99) < UNCHANGED
    his = made[-1][80 + TOP : 80 + BOTTOM, 400 + LEFT : 400 + RIGHT]
    solid = made[0][80 + TOP : 80 + BOTTOM, 400 + LEFT : 400 + RIGHT]
    assert solid.std() < 3 < his.std()
    assert (changed(original, made, second)[-1] or 0) > UNCHANGED


def test_a_vector_is_as_good_as_a_picture_and_says_no_more(
    run: Run, film: Callable[..., bytes], knowing: Models
) -> None:
    gallery = open_gallery(knowing, SETTINGS)
    assert gallery is not None
    vector = (7 * gallery.vectors[0]).astype("<f4").tobytes()
    source = film(20, [(ana(), lambda i: (200, 60))])
    by_vector = run(source, replace(SETTINGS, enrolled=(Enrolled("speaker", embedding=vector),)))
    by_picture = run(source)
    assert by_vector[0] == by_picture[0]
    assert by_vector[1].recognized == by_picture[1].recognized != (0, 0)


def test_a_still_shows_her_and_covers_him(run: Run) -> None:
    (frame,) = frames_of(1, [(ana(), lambda _: (40, 60)), (ben(), lambda _: (400, 80))])
    result, report = run(file_of(frame))
    made = cv2.imdecode(np.frombuffer(result, np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    assert report.recognized == (1, 1)
    assert (made[:, :300] == frame[:, :300]).all()
    assert np.abs(made[140:220, 470:540].astype(int) - frame[140:220, 470:540]).mean() > COVERED


def two_faces() -> Pixels:
    return np.hstack([ana(), ben()])


def noise() -> Pixels:
    return np.random.default_rng(1).integers(0, 255, (200, 200, 3)).astype(np.uint8)


WRONG: dict[str, tuple[tuple[Enrolled, ...], str]] = {
    "no face": ((Enrolled("speaker", (file_of(noise()),)),), "enrolment_no_face"),
    "too small a face": (
        (Enrolled("speaker", (file_of(cv2.resize(ana(), (70, 90))),)),),
        "enrolment_no_face",
    ),
    "two faces": ((Enrolled("speaker", (file_of(two_faces()),)),), "enrolment_many_faces"),
    "pictures of two people": (
        (Enrolled("speaker", (file_of(ana()), file_of(ben()))),),
        "enrolment_ambiguous",
    ),
    "one person twice": ((ANA, Enrolled("speaker", (file_of(ana(), ".jpg"),))), "enrolment_ambiguous"),
    "no picture": ((Enrolled("speaker", (b"hello",)),), "enrolment_invalid"),
    "half a picture": ((Enrolled("speaker", (file_of(ana())[:9000],)),), "enrolment_invalid"),
    "a WebP": ((Enrolled("speaker", (file_of(ana(), ".webp"),)),), "enrolment_invalid"),
    "a vector too short": ((Enrolled("speaker", embedding=bytes(4 * DIMENSION - 4)),), "enrolment_invalid"),
    "a vector of nothing": ((Enrolled("speaker", embedding=bytes(4 * DIMENSION)),), "enrolment_invalid"),
    "a vector of no numbers": (
        (Enrolled("speaker", embedding=np.full(DIMENSION, np.nan, "<f4").tobytes()),),
        "enrolment_invalid",
    ),
}


@pytest.mark.parametrize(("enrolled", "code"), WRONG.values(), ids=WRONG)
def test_an_enrolment_that_is_not_clear_ends_the_job(
    enrolled: tuple[Enrolled, ...], code: str, run: Run
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(face_picture()), replace(SETTINGS, enrolled=enrolled))
    assert caught.value.code == code


def test_a_picture_that_claims_to_be_huge_is_not_decoded(run: Run) -> None:
    huge = bytearray(file_of(ana()))
    huge[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(face_picture()), replace(SETTINGS, enrolled=(Enrolled("speaker", (bytes(huge),)),)))
    assert caught.value.code == "enrolment_invalid"


def test_a_person_has_pictures_or_a_vector() -> None:
    for wrong in ({}, {"pictures": (b"1",), "embedding": b"1234"}, {"pictures": (b"1",) * 6}):
        with pytest.raises(AnonymizerError) as caught:
            Enrolled("speaker", **wrong)  # type: ignore[arg-type] - some of each
        assert caught.value.code == "enrolment_invalid"
    assert "PNG" not in repr(ANA)


def test_without_a_network_or_with_one_that_answers_no_number_there_is_no_result(
    run: Run, models: Models, knowing: Models
) -> None:
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(face_picture()), models=models)
    assert caught.value.code == "model_missing"
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(face_picture()), models=replace(knowing, landmarks=None))
    assert caught.value.code == "model_missing"
    content = network(broken=True)
    with pytest.raises(AnonymizerError) as caught:
        run(file_of(face_picture()), models=with_network(models, content, manifest_text(content)))
    assert caught.value.code == "model_unusable"


def test_a_network_that_fails_in_the_middle_ends_the_job(
    run: Run, film: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    from anonymizer.detect.sessions import Network

    source, answers = film(20, [(ana(), lambda i: (200, 60))]), []
    real = Network.run

    def fails(self: Network, feeds: object) -> object:
        answers.append(real(self, feeds))  # type: ignore[arg-type] - as it is called
        if len(answers) > 6 and answers[-1][0].shape == (1, DIMENSION):
            raise AnonymizerError("detector_failed")
        return answers[-1]

    monkeypatch.setattr(Network, "run", fails)
    with pytest.raises(AnonymizerError) as caught:
        run(source)
    assert caught.value.code == "detector_failed"


def test_a_second_run_remembers_and_whoever_reviews_has_the_last_word(
    run: Run, film: Callable[..., bytes], models: Models
) -> None:
    first: Placed = (ana(), lambda i: (40, 60))
    second: Placed = (ben(), lambda i: (400, 80))
    source = film(20, [first, second])
    looked = Review()
    result, report = run(source, review=looked)
    assert report.recognized[0] > 5
    kept = [track for track in looked.sheet.tracks if track.effect == "keep"]
    again = replace(SETTINGS, enrolled=())
    # Neither pictures nor a network: the record says who was recognized when.
    replayed = Review(looked.record)
    told = run(source, again, models, replayed)
    assert told[0] == result
    assert told[1].recognized == report.recognized
    assert replayed.record == looked.record
    assert len(kept) == 1
    decided = Decisions({kept[0].track: TrackDecision("cover")})
    covered, counted = run(source, again, models, Review(looked.record, decided))
    original = decoded(source)
    assert min(value for value in changed(original, decoded(covered), first) if value is not None) > COVERED
    assert counted.recognized == (0, 0)


def test_by_the_box_alone_it_works_without_openvino(
    run: Run, film: Callable[..., bytes], models: Models
) -> None:
    content = network()
    text = manifest_text(content, align="box", match="threshold = 0.92\nleast = 0.87\nmargin = 0.1")
    first: Placed = (ana(), lambda i: (40, 60))
    second: Placed = (ben(), lambda i: (400, 80))
    source = film(20, [first, second])
    result, report = run(source, models=with_network(replace(models, landmarks=None), content, text))
    original, made = decoded(source), decoded(result)
    his = [value for value in changed(original, made, second) if value is not None]
    assert min(his) > COVERED
    assert (changed(original, made, first)[-1] or 99) < UNCHANGED
    assert report.recognized[1] == 1
