"""The sheet's pictures: of what was painted, however large or small or many, and never too many of them."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, region_of
from anonymizer.review import filming
from anonymizer.review.deciding import Decided, Seen
from anonymizer.review.filming import MAX_TRACKS, Filmer
from anonymizer.settings import FaceSettings

FACES = FaceSettings(shape="box", scale=1.2)
Pixels = npt.NDArray[np.uint8]


def scene_of(width: int, height: int, time: float = 0.0, shade: int = 90) -> Scene:
    """A grey picture as of a video: even sides."""
    luma = np.full((height, width), shade, np.uint8)
    colours = [np.full((height // 2, width // 2), 128, np.uint8) for _ in range(2)]
    planes = [Plane(luma, 1, 126), *(Plane(colour, 2, 128) for colour in colours)]
    return Scene(planes, width, height, time, 0)


def covers_of(boxes: dict[int, Box], scene: Scene) -> Decided:
    covers = []
    for track, box in boxes.items():
        region = region_of(box, FACES.scale, FACES.shape, scene.width, scene.height)
        assert region is not None
        covers.append(Cover("face", track, box, FACES, region))
    return Decided(tuple(covers), (), ())


def decoded(jpeg: bytes) -> Pixels:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


PLACES = {
    "a face of 12 pixels": ((640, 360), Box(300, 100, 312, 114)),
    "a face of 1,500 pixels": ((3840, 2160), Box(1000, 300, 2500, 2100)),
    "over the left edge": ((640, 360), Box(-40, 100, 30, 180)),
    "over the lower right corner": ((640, 360), Box(600, 320, 700, 420)),
    "larger than the picture": ((64, 36), Box(-100, -100, 200, 200)),
    "a sliver at the edge": ((640, 360), Box(-99, 100, 1, 200)),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_thumbnail_shows_the_thing_and_what_is_around_it(place: str) -> None:
    (width, height), box = PLACES[place]
    scene, filmer = scene_of(width, height), Filmer()
    # What is in the picture when it is filmed, painted where the cover lies.
    x1, y1 = max(0, int(box.x1)), max(0, int(box.y1))
    scene.planes[0].pixels[y1 : int(box.y2) + 1, x1 : int(box.x2) + 1] = 235
    filmer.film(scene, covers_of({4: box}, scene))
    (track,) = filmer.sheet().tracks
    (thumbnail,) = track.strip
    picture = decoded(thumbnail.jpeg)
    rows, columns = picture.shape[:2]
    assert max(rows, columns) <= filming.THUMBNAIL_SIDE
    assert 0 <= thumbnail.left < thumbnail.right <= 1
    assert 0 <= thumbnail.top < thumbnail.bottom <= 1
    down = int((thumbnail.top + thumbnail.bottom) / 2 * rows)
    seen = picture[down, int(thumbnail.left * columns) : int(thumbnail.right * columns) + 1]
    assert seen.max() > 200
    assert track.width <= width
    assert track.height <= height


def test_a_strip_spans_the_whole_time_and_a_view_is_small() -> None:
    filmer = Filmer()
    for frame in range(500):
        scene = scene_of(1280, 720, frame / 25, shade=16 + frame % 200)
        filmer.film(scene, covers_of({0: Box(600, 300, 640 + frame / 10, 350)}, scene))
    sheet = filmer.sheet()
    (track,) = sheet.tracks
    assert (track.first, track.last, track.frames, track.width) == (0.0, 499 / 25, 500, 90)
    assert 4 <= len(track.strip) <= filming.MAX_THUMBNAILS
    assert track.strip[-1].time > 12
    assert 16 <= len(sheet.views) <= filming.MAX_VIEWS
    assert decoded(sheet.views[0].jpeg).shape[:2] == (360, 640)


def test_a_view_of_noise_still_fits() -> None:
    scene = scene_of(1280, 720)
    scene.planes[0].pixels[:] = np.random.default_rng(4).integers(0, 256, (720, 1280), np.uint8)
    filmer = Filmer()
    filmer.film(scene, Decided((), (), ()))
    assert len(filmer.sheet().views[0].jpeg) <= 256 << 10


def test_of_too_many_things_the_large_and_lasting_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming, "MAX_TRACKS", 20)
    filmer, number = Filmer(), 100
    for second in range(12):
        for frame in range(25):
            scene = scene_of(640, 360, second + frame / 25)
            boxes = {0: Box(20, 20, 80, 90)}
            if frame == 0:
                boxes |= {number + i: Box(100 + 20 * i, 200, 110 + 20 * i, 212) for i in range(10)}
            filmer.film(scene, covers_of(boxes, scene))
        number += 10
    sheet = filmer.sheet()
    assert len(sheet.tracks) == 20
    assert sheet.tracks[0].track == 0
    assert sheet.tracks[0].frames == 300
    assert sheet.unlisted == {"face": 1 + 120 - 20}


def test_whoever_was_dropped_does_not_come_back_as_somebody_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming, "MAX_TRACKS", 1)
    filmer = Filmer()
    for time, track in ((0.0, 0), (5.0, 1), (10.0, 0), (15.0, 0)):
        scene = scene_of(640, 360, time)
        filmer.film(scene, covers_of({track: Box(20, 20, 80, 90)}, scene))
    sheet = filmer.sheet()
    assert [track.track for track in sheet.tracks] == [1]
    assert sheet.unlisted == {"face": 1}


def test_strips_grow_thinner_before_they_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filming, "MAX_STRIP_BYTES", 60 << 10)
    filmer = Filmer()
    boxes = {n: Box(10 + 20 * n, 20, 25 + 20 * n, 40) for n in range(30)}
    noise = np.random.default_rng(5)
    for frame in range(40):
        scene = scene_of(640, 360, frame / 25)
        scene.planes[0].pixels[:] = noise.integers(0, 256, (360, 640), np.uint8)
        filmer.film(scene, covers_of(boxes, scene))
    sheet = filmer.sheet()
    assert len(sheet.tracks) == 30
    assert {len(track.strip) for track in sheet.tracks} == {1}
    assert MAX_TRACKS == 512, "and so the largest sheet stays within its bound (enclave/review/package.py)"


def test_whoever_is_kept_is_shown_as_kept() -> None:
    scene, filmer = scene_of(640, 360), Filmer()
    filmer.film(scene, Decided((), (Seen("person", 7, Box(100, 100, 200, 300), FACES),), ()))
    (track,) = filmer.sheet().tracks
    assert (track.track, track.kind, track.effect) == (7, "person", "keep")


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(101, 67), (1, 1), (640, 360)])
def test_stills_of_any_size_are_filmed(channels: int, size: tuple[int, int]) -> None:
    width, height = size
    image = np.full((height, width, channels), 77, np.uint8)
    scene = Scene([Plane(image[:, :, i], 1, 128) for i in range(channels)], width, height, 0.0, 0)
    filmer = Filmer()
    filmer.film(scene, covers_of({0: Box(0, 0, width, height)}, scene))
    assert len(filmer.sheet().tracks[0].strip) == 1
    assert abs(int(decoded(filmer.sheet().views[0].jpeg).mean()) - 77) <= 1
