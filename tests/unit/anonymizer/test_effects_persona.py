"""Personas: nothing of the face shows, they do what it does, and belong to a pseudonym, not to a face."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from face_factory import Does, Told, cover_around, inside, reading_of, scene_with, somebody
from media_factory import face_image, face_picture

from anonymizer import AnonymizerError, FaceSettings, Limits, Models, Settings, anonymize
from anonymizer.effects import EFFECTS
from anonymizer.effects.colours import rgb_of
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.persona.identity import SKINS, look_of
from anonymizer.effects.persona.persona import Persona
from anonymizer.effects.persona.portrait import LARGEST, Portrait
from anonymizer.landmarks.expression import AT_REST, Expression, Pose
from anonymizer.landmarks.networks import FaceNetworks
from anonymizer.settings import CoverSettings

KEY = b"\x07" * 32
SETTINGS = Settings(faces=FaceSettings(effect="persona"), personas=KEY, pseudonym="heron")
POSE = Pose(160, 120, 90, 0.2, 0.05, 0.1)
PLANES = pytest.mark.parametrize(
    ("kind", "width", "height"), [("video", 320, 240), ("colour still", 321, 239), ("grey still", 319, 241)]
)


def painted(scene: Scene, covers: list[Cover], reader: Any, settings: Settings = SETTINGS) -> Scene:
    """Covers a scene in place, and gives it back."""
    Persona(reader, settings).plan(scene, covers)()
    return scene


def patch(scene: Scene) -> npt.NDArray[np.uint8]:
    return rgb_of(scene.planes, 0, 0, scene.width, scene.height)


@PLANES
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "not read"])
def test_no_pixel_of_the_face_comes_through_and_none_beside_it_changes(
    kind: str, width: int, height: int, is_read: bool
) -> None:
    cover = cover_around(POSE, width, height)
    reader = Told({0: reading_of(POSE)} if is_read else {})
    one, other = scene_with(kind, width, height, 1), scene_with(kind, width, height, 1)
    before = [plane.pixels.copy() for plane in one.planes]
    for plane in other.planes:
        where = inside(cover, plane)
        plane.pixels[where] = np.random.default_rng(2).integers(0, 256, np.count_nonzero(where), np.uint8)
    painted(one, [cover], reader)
    painted(other, [cover], reader)
    for plane, changed, old in zip(one.planes, other.planes, before, strict=True):
        where = inside(cover, plane)
        assert (plane.pixels == changed.pixels).all()
        assert (plane.pixels == old)[~where].all()
        assert (plane.pixels != old)[where].mean() > 0.9


def test_what_lies_under_another_cover_does_not_come_through_either() -> None:
    # Two that overlap, and one beside them whose pixels lie within the band around the first.
    poses = [Pose(150, 120, 80), Pose(200, 125, 90), Pose(90, 110, 60)]
    covers = [cover_around(pose, 320, 240, track) for track, pose in enumerate(poses)]
    reader = Told({track: reading_of(pose) for track, pose in enumerate(poses)})
    one, other = scene_with("video", 320, 240, 1), scene_with("video", 320, 240, 1)
    for plane in other.planes:
        for cover in covers:
            plane.pixels[inside(cover, plane)] ^= 0x5A
    painted(one, covers, reader)
    painted(other, covers, reader)
    for plane, changed in zip(one.planes, other.planes, strict=True):
        assert (plane.pixels == changed.pixels).all()


def test_what_another_effect_covers_is_not_read_either() -> None:
    cover, other = cover_around(POSE, 320, 240), cover_around(Pose(250, 120, 60), 320, 240, 1)
    results = []
    for change in (0, 0x5A):
        scene = replace(scene_with("video", 320, 240, 1), hidden=(cover.region, other.region))
        for plane in scene.planes:
            plane.pixels[inside(other, plane)] ^= change
        painted(scene, [cover], Told({0: reading_of(POSE)}))
        results.append([plane.pixels[inside(cover, plane)] for plane in scene.planes])
    assert all((a == b).all() for a, b in zip(*results, strict=True))


WHERE = {
    "12 pixels": (Pose(100, 90, 9), 200, 180, 1.5),
    "3 pixels": (Pose(100, 90, 2), 200, 180, 1.5),
    "1,500 pixels": (Pose(900, 800, 1200, 0.3), 1800, 1600, 1.3),
    "upper left corner": (Pose(3, 4, 80), 320, 240, 1.5),
    "lower right corner": (Pose(319, 239, 80), 320, 240, 1.5),
    "larger than the picture": (Pose(160, 120, 700), 320, 240, 1.3),
    "box": (Pose(160, 120, 90), 320, 240, 1.5),
}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "not read"])
def test_any_size_anywhere(where: str, is_read: bool) -> None:
    pose, width, height, scale = WHERE[where]
    settings = FaceSettings(effect="persona", scale=scale, shape="box" if where == "box" else "ellipse")
    cover = cover_around(pose, width, height, settings=settings)
    scene = scene_with("video", width, height)
    before = scene.planes[0].pixels.copy()
    painted(scene, [cover], Told({0: reading_of(pose)} if is_read else {}))
    mask = inside(cover, scene.planes[0])
    assert (scene.planes[0].pixels == before)[~mask].all()
    # Noise has no two neighbours alike; what is drawn is smooth.
    steps = np.abs(np.diff(scene.planes[0].pixels.astype(int), axis=1))[mask[:, 1:] & mask[:, :-1]]
    assert np.median(steps) <= 8


def test_a_far_face_is_skin_and_hair() -> None:
    pose = Pose(100, 90, 9)
    scene = painted(
        scene_with("video", 200, 180), [cover_around(pose, 200, 180)], Told({0: reading_of(pose)})
    )
    skin = np.array(look_of(_first_seed()).skin)
    middle = patch(scene)[89:93, 98:102].reshape(-1, 3).mean(axis=0)
    assert np.corrcoef(middle, skin)[0, 1] > 0.9


def _first_seed() -> bytes:
    from anonymizer.effects.identities import Identities

    return Identities(SETTINGS, "persona").seed_of(0)


def shown(settings: Settings, people: int = 1, shift: int = 0) -> npt.NDArray[np.uint8]:
    """The personas of a made video's only frame, on an even ground."""
    poses = [Pose(100 + 130 * place + shift, 110, 80 - place) for place in range(people)]
    scene = scene_with("video", 400, 220)
    for plane in scene.planes:
        plane.pixels[:] = 120
    covers = [cover_around(pose, 400, 220, 7 + track) for track, pose in enumerate(poses)]
    readings = {7 + track: reading_of(pose, somebody(track + shift)) for track, pose in enumerate(poses)}
    painted(scene, covers, Told(readings), settings)
    return np.roll(patch(scene), -shift, axis=1)


def test_one_pseudonym_is_one_persona_in_every_video_whoever_the_face_is() -> None:
    first = shown(SETTINGS)
    assert np.abs(first.astype(int) - shown(SETTINGS, shift=20)).mean() < 1.5
    another = replace(SETTINGS, pseudonym="egret")
    other_scope = replace(SETTINGS, personas=b"\x08" * 32)
    for settings in (another, other_scope, replace(SETTINGS, pseudonym="")):
        assert np.abs(first.astype(int) - shown(settings)).mean() > 2.5


def test_the_nearest_is_the_first_and_others_have_their_own() -> None:
    alone, together = shown(SETTINGS), shown(SETTINGS, people=2)
    assert (alone[:, :160] == together[:, :160]).all()
    left, right = together[30:190, 30:170].astype(int), together[30:190, 160:300].astype(int)
    assert np.abs(left - right).mean() > 2.5


def test_without_a_key_nobody_meets_a_persona_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # Of two that are drawn by chance, one pair in thirty looks alike.
    drawn = iter([bytes([number]) * 32 for number in range(3)])
    monkeypatch.setattr("anonymizer.effects.identities.os.urandom", lambda size: next(drawn)[:size])
    unkeyed = Settings(faces=FaceSettings(effect="persona"), pseudonym="heron")
    several = [shown(unkeyed).astype(int) for _ in range(3)]
    assert not list(drawn), "one secret is drawn for each"
    assert min(np.abs(several[0] - other).mean() for other in several[1:]) > 2.5


def test_no_secret_is_shown() -> None:
    operator = Persona(Told({}), SETTINGS)
    told = repr(SETTINGS) + repr(operator) + repr(vars(operator)) + repr(look_of(KEY))
    assert "heron" not in told
    assert KEY.hex() not in told
    assert repr(KEY) not in told


def test_looks_are_as_many_as_seeds_and_have_nothing_to_do_with_a_face() -> None:
    looks = [look_of(bytes([number]) * 32) for number in range(120)]
    assert len({vars_of(look) for look in looks}) == len(looks)
    assert len({look.skin for look in looks}) == len(SKINS)
    assert len({look.hair for look in looks}) == 10
    # Whose face it is, is in no number of how a persona looks: side by side they go nowhere together.
    faces = np.array([somebody(number)[[10, 152, 234, 1, 13]].reshape(-1) for number in range(120)])
    numbers = np.array(
        [[look.face_width, look.jaw, look.chin, look.eye_apart, look.nose_width] for look in looks]
    )
    both = np.corrcoef(np.hstack([faces[:, faces.std(axis=0) > 0], numbers]).T)
    assert np.abs(both[-5:, :-5]).max() < 0.35


def vars_of(look: Any) -> tuple[Any, ...]:
    return tuple(getattr(look, name) for name in look.__dataclass_fields__)


AHEAD = Pose(120, 130, 110)


def drawn(pose: Pose = AHEAD, expression: Expression = AT_REST, seed: int = 3) -> Any:
    return Portrait(look_of(bytes([seed]) * 32)).draw(pose, expression, 1.0, 240, 240).astype(int)


MOVES: dict[str, Callable[[], Any]] = {
    "eyes shut": lambda: drawn(expression=Expression(open_near=0, open_far=0)),
    "a wink": lambda: drawn(expression=Expression(open_near=0)),
    "looks aside": lambda: drawn(expression=Expression(gaze_x=1)),
    "looks up": lambda: drawn(expression=Expression(gaze_y=-1)),
    "mouth open": lambda: drawn(expression=Expression(mouth_open=0.7)),
    "smile": lambda: drawn(expression=Expression(smile=1, mouth_width=0.7)),
    "pursed": lambda: drawn(expression=Expression(mouth_width=-1)),
    "brows up": lambda: drawn(expression=Expression(brow_near=1, brow_far=1)),
    "turned": lambda: drawn(Pose(120, 130, 110, yaw=0.5)),
    "profile": lambda: drawn(Pose(120, 130, 110, yaw=1.4)),
    "nods": lambda: drawn(Pose(120, 130, 110, pitch=0.4)),
    "leans": lambda: drawn(Pose(120, 130, 110, roll=0.5)),
}


@pytest.mark.parametrize("move", MOVES)
def test_every_movement_shows(move: str) -> None:
    changed = np.abs(MOVES[move]() - drawn()).sum(axis=2) > 30
    assert np.count_nonzero(changed) > 60


@pytest.mark.parametrize("seed", range(12))
def test_every_persona_can_be_drawn_in_every_pose(seed: int) -> None:
    portrait = Portrait(look_of(bytes([seed]) * 32))
    for yaw, pitch, roll in ((0, 0, 0), (1.5, 0, 0), (-1.5, 0.5, 1), (0.3, -1.2, 3.1), (3.1, 0, 0)):
        picture = portrait.draw(Pose(40, 42, 34, yaw, pitch, roll), AT_REST, 1.0, 80, 84)
        assert picture.shape == (84, 80, 4)
        assert 0.2 < (picture[:, :, 3] > 127).mean() < 0.95
        # Colours are multiplied with how much is there.
        assert (picture[:, :, :3].max(axis=2) <= picture[:, :, 3].astype(int) + 2).all()


def test_a_drawing_has_a_bound() -> None:
    portrait = Portrait(look_of(KEY))
    assert portrait.draw(Pose(2000, 2000, 1800), AT_REST, 1.0, 4000, 4000).shape == (4000, 4000, 4)
    assert max(sheet.pixels.shape[0] for sheet in portrait._sheets.values()) < LARGEST * 2


def over_time(readings: list[Any], settings: CoverSettings | None = None) -> list[npt.NDArray[np.uint8]]:
    """Plays one face at 25 frames a second on an even ground; None for a frame in which it is not read."""
    told = Told({})
    operator = Persona(told, SETTINGS)
    frames = []
    for number, reading in enumerate(readings):
        scene = scene_with("video", 320, 240, time=number / 25)
        for plane in scene.planes:
            plane.pixels[:] = 120
        told.readings = {} if reading is None else {0: reading}
        operator.plan(scene, [cover_around(POSE, 320, 240, settings=settings)])()
        frames.append(patch(scene))
    return frames


def shaken(seed: int, by: float = 0.004) -> Any:
    drawn = np.random.default_rng(seed)
    reading = reading_of(POSE)

    def noise(points: Any) -> Any:
        return (points + drawn.normal(size=points.shape) * by * POSE.size).astype(np.float32)

    # A network's error is much the same in neighbouring points.
    whole = drawn.normal(size=3) * by * POSE.size
    mesh = (noise(reading.mesh) + whole).astype(np.float32)
    return replace(reading, mesh=mesh, irises=noise(reading.irises), outlines=noise(reading.outlines))


def test_a_face_at_rest_does_not_tremble() -> None:
    shaking = [shaken(seed) for seed in range(50)]
    drawn_frames = over_time(shaking)[20:]
    unsteadied = [over_time([reading])[0] for reading in shaking[20:36]]

    def trembling(frames: list[Any]) -> float:
        steps = [np.abs(a.astype(int) - b) for a, b in pairwise(frames)]
        return float(np.mean([step.mean() for step in steps]))

    # The reader, which is not here, steadies the points once more.
    assert trembling(drawn_frames) < trembling(unsteadied) / 3


def test_a_face_that_is_lost_rests_and_then_has_no_features() -> None:
    talking = [reading_of(POSE, does=Does(mouth=0.1 * (frame % 5) / 4)) for frame in range(30)]
    frames = over_time([*talking, *[None] * 40])
    at_once, later, last = frames[31], frames[50], frames[69]
    # No jump at the moment it is lost; at the end, what an operator draws who never read anything.
    assert np.abs(at_once.astype(int) - frames[29]).mean() < 3
    assert np.abs(later.astype(int) - last).mean() < 2
    nothing = over_time([None] * 3)[-1]
    assert np.abs(last.astype(int) - nothing).mean() < 1.5
    assert np.abs(frames[29].astype(int) - nothing).mean() > 1.5


def test_nothing_goes_on_after_a_cut_and_nothing_is_kept_for_ever() -> None:
    told = Told({track: reading_of(POSE) for track in range(300)})
    operator = Persona(told, SETTINGS)
    for track in range(40):
        scene = scene_with("video", 320, 240, time=track * 1.0)
        operator.plan(scene, [cover_around(POSE, 320, 240, track)])
        assert len(operator._players) <= 4
    operator.plan(scene_with("video", 320, 240, time=41.0, shot=1), [])
    assert not operator._players


def test_without_networks_the_effect_is_refused(models: Models) -> None:
    with pytest.raises(AnonymizerError) as caught:
        EFFECTS["persona"](replace(models, landmarks=None), SETTINGS, "face")
    assert caught.value.code == "model_missing"


class Broken:
    """An inference request that answers with something that is no number."""

    def infer(self, inputs: Any, share_inputs: bool) -> None:
        pass

    def get_output_tensor(self, index: int) -> Any:
        return type("Tensor", (), {"data": np.full((1404, 1)[index], np.nan, np.float32)})()


def test_a_face_that_is_no_number_ends_the_job(models: Models, tmp_path: Path) -> None:
    broken = replace(models, landmarks=FaceNetworks(Broken(), Broken()))
    sink = BytesIO()
    with pytest.raises(AnonymizerError) as caught:
        anonymize(
            BytesIO(face_image(tmp_path / "a.png").read_bytes()),
            sink,
            settings=SETTINGS,
            models=broken,
            limits=Limits(),
        )
    assert caught.value.code == "detector_failed"
    assert sink.getvalue() == b""


@pytest.mark.parametrize(
    ("name", "size"),
    [("a.png", (512, 512)), ("b.jpg", (401, 333)), ("c.webp", (512, 512)), ("grey.png", (333, 401))],
)
def test_a_still_has_a_persona(models: Models, tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    if models.landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    picture = face_picture(size)
    if name.startswith("grey"):
        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    original = face_image(tmp_path / name, size, pixels=picture).read_bytes()
    made = BytesIO()
    report = anonymize(BytesIO(original), made, settings=SETTINGS, models=models, limits=Limits(max_frames=1))
    assert report.tracks_of["face"] == 1
    result = cv2.imdecode(np.frombuffer(made.getvalue(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert result.shape[:2] == size[::-1]
    before = cv2.imdecode(np.frombuffer(original, np.uint8), cv2.IMREAD_UNCHANGED)
    share = np.array(size) / 512
    x1, y1, x2, y2 = (int(v) for v in np.array([190, 80, 262, 160]) * (*share, *share))
    assert np.abs(result[y1:y2, x1:x2].astype(int) - before[y1:y2, x1:x2]).mean() > 12
