"""What is told of an original: frames once, sound as it is everywhere, both sides of what passes."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from media_factory import face_clip, face_image, sound_only_mp4

from anonymizer import AnonymizerError, Limits, Models, Settings, anonymize
from anonymizer.intake.sniff import sniff
from anonymizer.native import FrameTeller, exact_sound, tell_sound
from anonymizer.native.passing import Edges, PlaneArray
from anonymizer.video.reading import Reader

SIZE = (192, 160)
EVIDENCE = {"lossless": True, "evidence": True}


class Ears:
    """A committer and a keeper of what is untouched that write down what they hear."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.frames: list[tuple[int, tuple[int, ...], tuple[bytes, ...]]] = []
        self.heard = b""
        self.passages: list[list[tuple[int, list[PlaneArray], list[PlaneArray], list[Edges]]]] = [[]]

    def frame(self, time_us: int, numbers: tuple[int, ...], planes: Sequence[bytes]) -> None:
        self.frames.append((time_us, numbers, tuple(planes)))

    def no_frames(self) -> None:
        self.told.append("no frames")

    def sound(self, form: tuple[int, int, int], samples: bytes) -> None:
        if form not in self.told:
            self.told.append(form)
        self.heard += samples

    def no_sound(self) -> None:
        self.told.append("no sound")

    def again(self) -> None:
        self.passages.append([])

    def passed(
        self,
        time_us: int,
        before: Sequence[PlaneArray],
        after: Sequence[PlaneArray],
        covered: Sequence[Edges],
    ) -> None:
        self.passages[-1].append((time_us, list(before), [plane.copy() for plane in after], list(covered)))


def run(clip: bytes, models: Models, ears: Ears, **chosen: Any) -> bytes:
    result = io.BytesIO()
    anonymize(
        io.BytesIO(clip),
        result,
        settings=Settings(**({"mode": "fast"} | chosen)),
        models=models,
        limits=Limits(),
        committer=ears,
        untouched=ears,
    )
    return result.getvalue()


def frames_of(media: bytes) -> Ears:
    """What a reader finds who decodes a file."""
    ears, stream = Ears(), io.BytesIO(media)
    reader, teller = Reader(stream, sniff(stream), Limits(), threads=1), FrameTeller(ears)
    for frame in reader.frames(with_sound=False):
        assert isinstance(frame, av.VideoFrame)
        teller.tell(frame)
    reader.close()
    return ears


def sound_of(path: Path) -> Ears:
    ears = Ears()
    with path.open("rb") as stream:
        tell_sound(stream, sniff(stream), Limits(), ears)
        assert stream.tell() == 0
    return ears


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "face.mp4"
    return face_clip(path, seconds=0.25, size=SIZE, b_frames=2).read_bytes()


def test_frames_are_told_once_although_they_pass_twice(
    clip: bytes, models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    ears = Ears()

    def misses(_leaks: object, _floors: object) -> tuple[str, ...]:
        return ("result_shows_faces",) if len(ears.passages) == 1 else ()

    monkeypatch.setattr(sys.modules["anonymizer.anonymize"], "misses", misses)
    result = run(clip, models, ears, **EVIDENCE)
    assert ears.frames == frames_of(clip).frames
    assert [time_us for time_us, _, _ in ears.frames] == [1_000_000 * at // 24 for at in range(6)]
    assert list(map(len, ears.passages)) == [6, 6]
    # The last passage is the one that is delivered.
    delivered = frames_of(result).frames
    for (time_us, _, planes), passed, copy in zip(ears.frames, ears.passages[-1], delivered, strict=True):
        assert passed[0] == time_us
        assert tuple(plane.tobytes() for plane in passed[1]) == planes
        assert tuple(plane.tobytes() for plane in passed[2]) == copy[2]


def test_what_encloses_the_covers_encloses_every_change(clip: bytes, models: Models) -> None:
    ears = Ears()
    run(clip, models, ears, **EVIDENCE)
    changed = 0
    for _, before, after, covered in ears.passages[-1]:
        open_to_change = np.zeros((SIZE[1], SIZE[0]), np.bool_)
        for left, top, right, bottom in covered:
            open_to_change[top:bottom, left:right] = True
        differs = before[0] != after[0]
        changed += int(differs.sum())
        assert not (differs & ~open_to_change).any()
    assert changed > 100


def test_without_evidence_nobody_is_shown_what_passes(clip: bytes, models: Models) -> None:
    ears = Ears()
    run(clip, models, ears)
    assert ears.passages == [[]]
    assert ears.frames == frames_of(clip).frames


ORIGINALS: dict[str, Callable[[Path], bytes]] = {
    "turned by its container": lambda folder: face_clip(
        folder / "a.mp4", 0.2, size=SIZE, rotation=90
    ).read_bytes(),
    "mirrored by its container": lambda folder: face_clip(
        folder / "a.mp4", 0.2, size=SIZE, hflip=True
    ).read_bytes(),
    "of an odd width": lambda folder: face_clip(
        folder / "a.mkv", 0.2, size=(193, 160), video_codec="ffv1", pixel_format="yuv420p"
    ).read_bytes(),
    "with all of its colours": lambda folder: face_clip(
        folder / "a.mkv", 0.2, size=SIZE, video_codec="ffv1", pixel_format="yuv444p"
    ).read_bytes(),
    "of more than 8 bits": lambda folder: face_clip(
        folder / "a.mkv", 0.2, size=SIZE, video_codec="ffv1", pixel_format="yuv420p10le"
    ).read_bytes(),
    "interlaced": lambda folder: face_clip(
        folder / "a.mp4", 0.2, size=SIZE, options={"x264-params": "interlaced=1"}
    ).read_bytes(),
    "a still": lambda folder: face_image(folder / "a.png").read_bytes(),
    "sound alone": lambda folder: sound_only_mp4(folder / "a.mp4").read_bytes(),
}


@pytest.mark.parametrize("case", ORIGINALS)
def test_evidence_is_what_the_decoder_gave_or_nothing(case: str, tmp_path: Path, models: Models) -> None:
    ears, original = Ears(), ORIGINALS[case](tmp_path)
    with pytest.raises(AnonymizerError) as caught:
        run(original, models, ears, **EVIDENCE, audio="keep")
    assert caught.value.code == "evidence_impossible"
    assert ears.passages == [[]]


def test_evidence_is_lossless() -> None:
    with pytest.raises(AnonymizerError) as caught:
        Settings(evidence=True)
    assert caught.value.code == "settings_invalid"


SOUNDS = {
    "AAC": ("a.mp4", "aac", (48_000, 1, 4)),
    "MP3": ("a.mkv", "libmp3lame", (48_000, 1, 2)),
    "FLAC": ("a.mkv", "flac", (48_000, 1, 2)),
    "AC-3": ("a.mkv", "ac3_fixed", (48_000, 1, 2)),
    "plain samples": ("a.mkv", "pcm_s16le", (48_000, 1, 2)),
    "Opus, which no decoder decodes to the same everywhere": ("a.mkv", "libopus", None),
}


@pytest.mark.parametrize("case", SOUNDS)
def test_sound_is_told_where_it_is_the_same_everywhere(case: str, tmp_path: Path) -> None:
    name, codec, form = SOUNDS[case]
    path = face_clip(tmp_path / name, 0.5, size=(64, 64), audio_codec=codec)
    ears = sound_of(path)
    assert ears.told == ([] if form is None else [form])
    assert sound_of(path).heard == ears.heard
    if form is not None:
        seconds = len(ears.heard) / (form[0] * form[1] * form[2])
        assert 0.45 < seconds < 0.7


def test_what_is_told_of_aac_is_not_what_floating_point_makes_of_it(tmp_path: Path) -> None:
    """Else a commitment could be opened on the machine that made it and nowhere else."""
    path = face_clip(tmp_path / "a.mp4", 0.5, size=(64, 64))
    with path.open("rb") as stream:
        (form,) = {samples.form for samples in exact_sound(stream, sniff(stream), Limits())}
    assert form == "s32"
    with av.open(str(path)) as container:
        assert {frame.format.name for frame in container.decode(audio=0)} == {"fltp"}


def test_sound_that_breaks_off_in_an_error_is_not_told_at_all(tmp_path: Path) -> None:
    path = face_clip(tmp_path / "a.mkv", 1, size=(64, 64), audio_codec="flac")
    whole = path.read_bytes()
    with av.open(str(path)) as container:
        sound = [packet for packet in container.demux(audio=0) if packet.size]
    damaged = whole.replace(bytes(sound[-2]), bytes(len(bytes(sound[-2]))))
    assert damaged != whole
    path.write_bytes(damaged)
    assert sound_of(path).told[-1] == "no sound"


def test_sound_longer_than_its_limit_is_not_told_at_all(tmp_path: Path) -> None:
    path, ears = face_clip(tmp_path / "a.mp4", 0.5, size=(64, 64)), Ears()
    with path.open("rb") as stream:
        tell_sound(stream, sniff(stream), Limits(max_duration_seconds=0.3), ears)
    assert ears.told[-1] == "no sound"


def test_a_file_without_sound_tells_none(tmp_path: Path) -> None:
    ears = sound_of(face_clip(tmp_path / "a.mp4", 0.2, size=(64, 64), audio=False))
    assert (ears.told, ears.heard) == ([], b"")


def test_time_that_runs_back_before_the_first_frame_is_told_as_no_frames() -> None:
    ears = Ears()
    teller = FrameTeller(ears)
    for pts in (10, 11, 9, 12):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = pts, Fraction(1, 25)
        teller.tell(frame)
    assert ears.told == ["no frames"]
    assert len(ears.frames) == 2
