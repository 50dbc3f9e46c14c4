"""What a job saw is kept exactly, and replayed exactly: the second result is the first one, byte for byte."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from anonymizer import (
    AnonymizerError,
    FaceSettings,
    Limits,
    Models,
    PeopleSettings,
    Report,
    Review,
    Settings,
    TextSettings,
    anonymize,
)
from anonymizer.boxes import no_boxes
from anonymizer.detect.finders import Finder, Sought
from anonymizer.review.columns import Look, packed, unpacked
from anonymizer.review.filming import MAX_THUMBNAILS, MAX_VIEWS
from anonymizer.review.recording import MAGIC, Recorder, parse_record
from anonymizer.review.sampling import Few
from tests.media_factory import face_clip, face_frames, face_image

Run = Callable[..., tuple[bytes, Report]]
# Room for few frames: covers are asked for early, and looks come at other moments.
CRAMPED = Limits(max_buffer_bytes=3 << 20)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A face in three shots that differ."""
    frames = face_frames(2, 12)
    shots = [*frames[:9], *(255 - frame for frame in frames[9:18]), *frames[4:12]]
    path = tmp_path_factory.mktemp("review") / "in.mp4"
    return face_clip(path, fps=12, frames=shots).read_bytes()


@pytest.fixture
def run(models: Models) -> Run:
    def go(source: bytes, settings: Settings, review: Review | None, limits: Limits | None = None):
        sink = io.BytesIO()
        report = anonymize(
            io.BytesIO(source),
            sink,
            settings=settings,
            models=models,
            limits=limits or Limits(),
            review=review,
        )
        return sink.getvalue(), report

    return go


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From its call on, nothing can look."""

    def opens_nothing(*_: object, **__: object) -> tuple[Finder, ...]:
        raise AssertionError("a detector was opened")

    return lambda: monkeypatch.setattr(sys.modules["anonymizer.anonymize"], "open_finders", opens_nothing)


EVERYTHING = {"people": PeopleSettings(), "text": TextSettings(), "plates": TextSettings()}
JOBS: dict[str, tuple[Settings, Limits]] = {
    "looks far apart, with sound": (Settings(mode="balanced", audio="keep"), Limits()),
    "a synthetic face of a named scope": (
        Settings(mode="fast", personas=bytes(range(32)), faces=FaceSettings(effect="persona")),
        Limits(),
    ),
    "looks and glances": (Settings(mode="quality", faces=FaceSettings(effect="mosaic")), Limits()),
    "every kind, in little memory": (Settings(mode="balanced", **EVERYTHING), CRAMPED),
    "every sighting believed": (Settings(mode="fast", faces=FaceSettings(effect="blur", passes=3)), CRAMPED),
}


@pytest.mark.parametrize("job", JOBS)
def test_a_replay_is_the_first_result_byte_for_byte(
    clip: bytes, run: Run, blind: Callable[[], None], job: str
) -> None:
    settings, limits = JOBS[job]
    first = Review()
    result, report = run(clip, settings, first, limits)
    assert report.frames_with_faces > 15, "nothing was covered"
    assert len(parse_record(first.record).cuts) == 2
    blind()
    second = Review(first.record)
    again, reported = run(clip, settings, second, limits)
    assert again == result
    assert second.record == first.record
    assert second.sheet == first.sheet
    assert (reported.frames_with, reported.tracks_of) == (report.frames_with, report.tracks_of)


def test_keeping_a_record_changes_no_result(clip: bytes, run: Run) -> None:
    settings = Settings(mode="balanced")
    assert run(clip, settings, None)[0] == run(clip, settings, Review())[0]


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_a_still_is_replayed_too(tmp_path: Path, run: Run, blind: Callable[[], None], suffix: str) -> None:
    source = face_image(tmp_path / f"in{suffix}").read_bytes()
    settings = Settings(faces=FaceSettings(effect="mosaic"), text=TextSettings())
    first = Review()
    result, report = run(source, settings, first)
    assert report.tracks == 1
    (track,) = [track for track in first.sheet.tracks if track.kind == "face"]
    assert (track.frames, track.first, len(track.strip), len(first.sheet.views)) == (1, 0.0, 1, 1)
    blind()
    assert run(source, settings, Review(first.record))[0] == result


OTHERS: dict[str, Callable[[list[np.ndarray]], list[np.ndarray]]] = {
    "a frame less": lambda frames: frames[:-1],
    "a frame more": lambda frames: [*frames, frames[-1]],
    "another size": lambda frames: [np.ascontiguousarray(frame[:180]) for frame in frames],
    "nothing but one frame": lambda frames: frames[:1],
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_record_that_does_not_fit_is_refused(tmp_path: Path, run: Run, other: str) -> None:
    """Behind the seal that binds it to its original (enclave/worker/record.py), a second line."""
    frames, settings = face_frames(1, 12), Settings(mode="fast")
    review = Review()
    run(face_clip(tmp_path / "a.mp4", fps=12, frames=frames).read_bytes(), settings, review)
    source = face_clip(tmp_path / "b.mp4", fps=12, frames=OTHERS[other](frames)).read_bytes()
    with pytest.raises(AnonymizerError) as caught:
        run(source, settings, Review(review.record))
    assert caught.value.code == "record_refused"


def test_a_record_of_what_this_job_does_not_cover_is_refused(tmp_path: Path, run: Run) -> None:
    source, review = face_image(tmp_path / "in.png").read_bytes(), Review()
    run(source, Settings(text=TextSettings()), review)
    with pytest.raises(AnonymizerError) as caught:
        run(source, Settings(), Review(review.record))
    assert caught.value.code == "record_refused"


def test_no_picture_of_the_sheet_holds_a_pixel_of_what_is_covered(tmp_path: Path, run: Run) -> None:
    """What was seen in one picture is replayed on another, whose face differs: all pictures stay the same."""
    settings = Settings(faces=FaceSettings(effect="solid", shape="box"))
    picture = face_image(tmp_path / "a.png").read_bytes()
    first = Review()
    run(picture, settings, first)
    box = parse_record(first.record).looks(0).__next__().boxes[0][0]
    x1, y1, x2, y2 = (int(edge) for edge in box[:4])
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    pixels[y1:y2, x1:x2] = np.random.default_rng(1).integers(0, 256, (y2 - y1, x2 - x1, 3), np.uint8)
    changed = cv2.imencode(".png", pixels)[1].tobytes()
    second = Review(first.record)
    run(changed, settings, second)
    assert changed != picture
    assert second.sheet == first.sheet
    assert first.sheet.tracks[0].strip, "the sheet shows nothing"
    # And the test can fail: a sheet of what is open differs.
    bare = Review()
    run(picture, Settings(faces=FaceSettings(threshold=0.9, scale=1.0)), bare)
    assert bare.sheet.views != first.sheet.views


BOXES = np.array([[1.1, 2.2, 3.3, 4.4, 0.5], [-0.0, 1e-30, 1e30, 7, 1]], np.float32)


def test_columns_keep_every_bit() -> None:
    looks = [Look(4, 0, (BOXES, no_boxes())), Look(4, 4, (no_boxes(), BOXES[:1])), Look(8, 8, (BOXES, BOXES))]
    back = unpacked(packed(looks), kinds=2)
    assert [(look.told_at, look.index) for look in back] == [(4, 0), (4, 4), (8, 8)]
    for before, after in zip(looks, back, strict=True):
        assert [boxes.tobytes() for boxes in before.boxes] == [boxes.tobytes() for boxes in after.boxes]


def recorder(max_bytes: int = 1 << 20) -> Recorder:
    sought = (Sought("text", TextSettings()), Sought("plate", TextSettings(), believes_all=True))
    return Recorder((Finder(sought, lambda *_: {}),), max_bytes)


def test_looks_that_saw_nothing_are_packed_too() -> None:
    nothing = [Look(told_at, told_at, (no_boxes(), no_boxes())) for told_at in (0, 3)]
    back = unpacked(packed(nothing), kinds=2)
    assert [(look.told_at, look.index, [len(boxes) for boxes in look.boxes]) for look in back] == [
        (0, 0, [0, 0]),
        (3, 3, [0, 0]),
    ]


def test_a_record_of_a_crowd_is_packed_as_it_comes_and_comes_back() -> None:
    made, rng = recorder(8 << 20), np.random.default_rng(2)
    looks = [
        {"text": rng.random((50, 5), np.float32), "plate": rng.random((index % 3, 5), np.float32)}
        for index in range(400)
    ]
    for index, found in enumerate(looks):
        made.now = index + 1
        made.look(0, index, found)
    made.cut(7)
    record = made.finish(640, 360, 400, [(50, 3)])
    assert len(record.blocks[0]) > 1
    again = parse_record(record.to_bytes())
    assert again == record
    assert again.searches[0].believes_all == (False, True)
    back = list(again.looks(0))
    assert len(back) == len(looks)
    for before, after in zip(looks, back, strict=True):
        assert np.array_equal(before["text"], after.boxes[0])
        assert np.array_equal(before["plate"], after.boxes[1])


def test_a_record_has_a_bound() -> None:
    made, rng = recorder(256 << 10), np.random.default_rng(3)

    def look_on() -> None:
        for index in range(10_000):
            made.look(0, index, {"text": rng.random((50, 5), np.float32), "plate": no_boxes()})

    with pytest.raises(AnonymizerError) as caught:
        look_on()
    assert caught.value.code == "review_too_large"


def a_record() -> bytes:
    made = recorder()
    made.look(0, 0, {"text": BOXES, "plate": no_boxes()})
    made.cut(3)
    return made.finish(640, 360, 4, [(2, 0)]).to_bytes()


NOT_RECORDS: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda record: b"",
    "another first line": lambda record: record.replace(b"/v1", b"/v2", 1),
    "no end of the header": lambda record: record[: len(MAGIC) + 10],
    "a header of another layout": lambda record: record.replace(b'{"begun"', b'{ "begun"', 1),
    "a kind that is none": lambda record: record.replace(b'"plate"', b'"plane"', 1),
    "a negative count": lambda record: record.replace(b'"frames":4', b'"frames":-4', 1),
    "numbers for fewer kinds": lambda record: record.replace(b"[[2,0]]", b"[[2]]", 1),
    "no search": lambda record: (
        MAGIC + b'{"begun":[],"frames":4,"height":1,"searches":[],"turns":[],"width":1}\n'
    ),
    "a block of a search that is not there": lambda record: record + b"\x01\x00\x00\x00\x00",
    "a block that ends too early": lambda record: record[:-1],
    "a stray byte": lambda record: record + b"\x00",
}


@pytest.mark.parametrize("case", NOT_RECORDS)
def test_what_is_no_record_is_refused(case: str) -> None:
    record = a_record()
    parse_record(record)
    with pytest.raises(AnonymizerError) as caught:
        parse_record(NOT_RECORDS[case](record))
    assert caught.value.code == "record_refused"


@pytest.mark.parametrize(
    "block",
    [b"", b"no zlib", packed([Look(0, 0, (BOXES,))])[:-3], packed([Look(0, 0, (BOXES,))]) + b"x"],
    ids=["empty", "no zlib", "cut", "and more"],
)
def test_what_is_no_block_is_refused(block: bytes) -> None:
    with pytest.raises(AnonymizerError) as caught:
        unpacked(block, kinds=1)
    assert caught.value.code == "record_refused"


def test_a_block_of_another_number_of_kinds_and_one_of_nonsense_are_refused() -> None:
    nonsense = BOXES.copy()
    nonsense[0, 0] = np.nan
    for block in (packed([Look(0, 0, (BOXES, BOXES))]), packed([Look(0, 0, (nonsense,))])):
        with pytest.raises(AnonymizerError) as caught:
            unpacked(block, kinds=1)
        assert caught.value.code == "record_refused"


@pytest.mark.parametrize("count", [1, 7, 8, 9, 100, 5000])
def test_a_few_of_many_are_spread_evenly(count: int) -> None:
    few: Few[float] = Few(8)
    for index in range(count):
        if few.is_due(index / 25):
            few.add(index / 25, index / 25)
    assert min(4, count) <= len(few.items) <= 8
    assert few.items[0] == 0
    if count > 8:
        steps = np.diff(few.items)
        assert steps.max() <= 2.1 * steps.min()
        assert few.items[-1] >= (count - 1) / 25 * 0.7


def test_a_sheet_is_bounded(clip: bytes, run: Run) -> None:
    review = Review()
    run(clip, Settings(mode="fast"), review)
    assert 0 < len(review.sheet.views) <= MAX_VIEWS
    assert all(0 < len(track.strip) <= MAX_THUMBNAILS for track in review.sheet.tracks)
