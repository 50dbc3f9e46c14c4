"""What a player would heed and no sample shows, what is asked for twice, and what would be lost: refused."""

from __future__ import annotations

import shutil
import struct
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import typer
from media_factory import face_image

from console.commands import reveal as command
from console.commands.submit import submit
from evaluation.errors import EvaluationError
from evaluation.pieces.decoding import decoded
from evaluation.pieces.records import Frame
from tests.pieces_world import SIZE, World, film, world

KEPT = b"of an earlier job"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("shown")
    made = world(folder, film(folder / "film.mp4", 1, sound=False))
    assert made.reveal(folder / "part.mkv", "0.2", "0.6") == 0
    return made


@pytest.mark.parametrize("chapters", [False, True])
def test_a_part_has_no_chapters(handed_in: World, tmp_path: Path, chapters: bool) -> None:
    part, forged = handed_in.folder / "part.mkv", tmp_path / "forged.mkv"
    with av.open(str(part)) as source, av.open(str(forged), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if chapters:
            named = {"id": 1, "start": 200, "end": 300, "time_base": Fraction(1, 1000), "metadata": {}}
            target.set_chapters([named])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    for ending in (".reveal", ".proof"):
        shutil.copyfile(part.with_name(part.name + ending), forged.with_name(forged.name + ending))
    verdict = handed_in.verify(forged)
    assert verdict["verified"] is not chapters
    assert verdict.get("code") == ("media_unsupported" if chapters else None)


def test_a_part_is_not_said_to_be_untouched(handed_in: World, tmp_path: Path) -> None:
    """A package that nobody would look at is refused, not passed over."""
    package = tmp_path / "named.untouched"
    package.write_bytes(b"")
    with pytest.raises(typer.BadParameter):
        handed_in.verify(handed_in.folder / "part.mkv", untouched=package)


def test_whoever_shows_all_of_a_file_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(command, "say", told.append)
    made = world(tmp_path, face_image(tmp_path / "in.png"))
    assert made.reveal(tmp_path / "part.png", None, None) == 0
    assert any("every byte" in line for line in told)


def test_the_opening_of_an_earlier_job_is_not_overwritten(tmp_path: Path) -> None:
    opening = tmp_path / "interview.opening"
    opening.write_bytes(KEPT)
    with pytest.raises(typer.BadParameter):
        submit(film(tmp_path / "film.mp4", 1, sound=False), tmp_path / "out.mp4", opening=opening)
    assert opening.read_bytes() == KEPT


def test_nothing_of_a_part_is_transparent(handed_in: World, tmp_path: Path) -> None:
    """Alpha is no part of a commitment: by it a forger would choose what of the picture is seen."""
    part, forged = handed_in.folder / "part.mkv", tmp_path / "forged.mkv"
    with av.open(str(part)) as source:
        frames = list(source.decode(video=0))
    with av.open(str(forged), "w") as target:
        stream = target.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, "yuva420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for at, frame in enumerate(frames):
            made = frame.reformat(format="yuva420p")
            made.planes[3].update(bytes(made.planes[3].buffer_size))
            made.pts, made.time_base = 40 * at, Fraction(1, 1000)
            target.mux(stream.encode(made))
        target.mux(stream.encode(None))
    for ending in (".reveal", ".proof"):
        shutil.copyfile(part.with_name(part.name + ending), forged.with_name(forged.name + ending))
    assert handed_in.verify(forged).get("code") == "media_unsupported"


def test_nothing_of_a_picture_is_transparent(tmp_path: Path) -> None:
    made = world(tmp_path, face_image(tmp_path / "in.jpg"))
    pixels, forged = tmp_path / "pixels.png", tmp_path / "forged.png"
    assert made.reveal(pixels, None, None) == 0
    shown = cv2.imread(str(pixels))
    cv2.imwrite(str(forged), np.dstack([shown, np.ones(shown.shape[:2], np.uint8)]))
    for ending in (".reveal", ".proof"):
        shutil.copyfile(pixels.with_name(pixels.name + ending), forged.with_name(forged.name + ending))
    assert made.verify(forged).get("code") == "media_unsupported"


def test_a_copy_is_not_mirrored(tmp_path: Path) -> None:
    """Upside down as in a mirror is no rotation, and no sample differs."""
    copy, mirrored = film(tmp_path / "copy.mp4", 0.4, sound=False), tmp_path / "mirrored.mp4"
    upright, upside_down = (
        struct.pack(">9i", 1 << 16, 0, 0, 0, down << 16, 0, 0, top << 16, 1 << 30)
        for down, top in ((1, 0), (-1, SIZE[1]))
    )
    content = copy.read_bytes()
    at = content.index(upright, content.index(b"tkhd"))
    mirrored.write_bytes(content[:at] + upside_down + content[at + len(upright) :])
    with decoded(copy, "pictures", "copy") as records:
        assert [record for record in records if isinstance(record, Frame)]
    with decoded(mirrored, "pictures", "copy") as records, pytest.raises(EvaluationError) as refused:
        list(records)
    assert refused.value.code == "media_unsupported"
