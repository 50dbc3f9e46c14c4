"""A lossless copy: which share of it is proven to be the original's, and where it differs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from console.commands.verify import verify
from console.report.program import main as verifier_alone
from provenance.pieces.cutting import PictureShape
from provenance.pieces.original import OriginalTrees
from provenance.pieces.untouched import untouched_end, untouched_head, untouched_record
from tests.pieces_world import RATE, SIZE, World, decoding_here, film, world
from tests.unit.provenance.provenance_makers import TestSigner

SHAPE = PictureShape(*SIZE, SIZE[0] // 2, SIZE[1] // 2)
SECRET = bytes(range(40, 72))
FACE = (10, 20, 50, 60)
FRAMES = 20
# Frame, row, column of luma.
OUTSIDE = (7, 80, 130)


@dataclass(frozen=True)
class Copy:
    """A lossless job: the copy, its untouched package, a proof and a camera's signature."""

    world: World
    frames: list[np.ndarray]
    root: bytes

    def written(self, path: Path, frames: Sequence[np.ndarray] | None = None, **coding: object) -> Path:
        """Writes a copy, with the package beside it."""
        path.parent.mkdir(exist_ok=True)
        lossless(path, self.frames if frames is None else frames, **coding)
        package = (self.world.folder / "copy.mp4.untouched").read_bytes()
        path.with_name(path.name + ".untouched").write_bytes(package)
        return path


@pytest.fixture
def here() -> Iterator[None]:
    """As in test_reveal.py: tables are long."""
    with decoding_here():
        yield


def lossless(
    path: Path, frames: Sequence[np.ndarray], rate: int = RATE, crf: str = "0", films: int = 1
) -> None:
    """As the worker codes evidence: H.264 without loss."""
    coding = {"preset": "ultrafast", "crf": crf}
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=rate, options=coding) for _ in range(films)]
        for video in streams:
            (video.width, video.height), video.pix_fmt = SIZE, "yuv420p"
        for at, shown in enumerate(frames):
            for video in streams:
                frame = av.VideoFrame.from_ndarray(shown, format="yuv420p")
                frame.pts, frame.time_base = at, Fraction(1, rate)
                container.mux(video.encode(frame))
        for video in streams:
            container.mux(video.encode(None))


def last_byte_changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


def planes_of(shown: np.ndarray) -> tuple[bytes, ...]:
    raw, luma = shown.tobytes(), SIZE[0] * SIZE[1]
    return raw[:luma], raw[luma : luma * 5 // 4], raw[luma * 5 // 4 :]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("untouched")
    made = world(folder, film(folder / "film.mp4", FRAMES / RATE, sound=False))
    with av.open(str(made.original)) as container:
        originals = [frame.to_ndarray() for frame in container.decode(video=0)]
    trees = OriginalTrees(SECRET, tiles=True)
    trees.container(made.original.read_bytes())
    package, frames = [untouched_head(SHAPE)], []
    for at, shown in enumerate(originals):
        time_us = at * 1_000_000 // RATE
        trees.frame(time_us, SHAPE.numbers, planes_of(shown))
        covered = shown.copy()
        left, top, right, bottom = FACE
        covered[top:bottom, left:right] = 16
        frames.append(covered)
    tiles = trees.tile_tree
    assert tiles is not None
    for at, shown in enumerate(originals):
        opening = tiles.open_frame(at, planes_of(shown), SHAPE.tiles_under([FACE]))
        package.append(untouched_record(at * 1_000_000 // RATE, opening))
    trees.finish()
    package.append(untouched_end(trees.commitment()))
    (folder / "copy.mp4.untouched").write_bytes(b"".join(package))
    made.sign(trees.commitment().root)
    lossless(folder / "copy.mp4", frames)
    proof = made.house.prove_job(
        "evidence",
        (folder / "copy.mp4").read_bytes(),
        pieces=trees.commitment().root.hex(),
        media_type="video/mp4",
    )
    (folder / "copy.mp4.proof").write_bytes(proof)
    return Copy(made, frames, trees.commitment().root)


def test_the_share_outside_the_covers_is_proven(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    covered = len(SHAPE.tiles_under([FACE])) * FRAMES
    verdict = copy.world.verify(copy.world.folder / "copy.mp4")
    assert verdict["untouched"]["tiles"] == SHAPE.tiles * FRAMES
    assert verdict["untouched"]["tiles_covered"] == covered
    assert verdict["untouched"]["tiles_proven"] == SHAPE.tiles * FRAMES - covered
    assert verdict["untouched"]["differences"] == []
    assert verdict["statement"]["pieces"] == copy.root.hex()
    steps = [step["step"] for step in verdict["steps"]]
    assert steps[-2:] == ["original_committed", "untouched_matches"]
    capsys.readouterr()
    page = copy.world.folder / "page.html"
    assert verify(copy.world.folder / "copy.mp4", trust=copy.world.trust, html=page) == 0
    share = f"{verdict['untouched']['proven_permille'] / 10:.1f} %"
    assert f"{share} of the picture is the original's, sample for sample" in capsys.readouterr().out
    assert share in page.read_text()
    assert "Nothing of the sound is proven by this" in page.read_text()


@pytest.mark.usefixtures("here")
def test_it_verifies_by_the_cameras_word_with_the_statement_removed(copy: Copy, tmp_path: Path) -> None:
    alone = copy.written(tmp_path / "alone" / "copy.mp4")
    verdict = copy.world.verify(alone, recording=copy.world.recording)
    assert "statement" not in verdict
    assert verdict["untouched"]["tiles_proven"] > 0
    steps = [step["step"] for step in verdict["steps"]]
    assert steps == ["trust_readable", "recording_signed", "untouched_matches"]
    # With both, the camera's word is one step more, and has to be about the same original.
    both = copy.world.verify(copy.world.folder / "copy.mp4", recording=copy.world.recording)
    assert both["recorder"] == verdict["recorder"]
    copy.world.sign(bytes(32))
    other = copy.world.verify(copy.world.folder / "copy.mp4", recording=copy.world.recording)
    assert (other["failed_step"], other["code"]) == ("recording_signed", "recording_differs")
    copy.world.sign(copy.root, TestSigner("nobody's camera"))
    stranger = copy.world.verify(alone, recording=copy.world.recording)
    assert (stranger["failed_step"], stranger["code"]) == ("recording_signed", "pieces_not_signed")
    copy.world.sign(copy.root)


def test_one_changed_sample_outside_the_covers_is_found_and_located(copy: Copy, tmp_path: Path) -> None:
    at, row, column = OUTSIDE
    frames = [shown.copy() for shown in copy.frames]
    frames[at][row, column] ^= 1
    forged = copy.written(tmp_path / "forged.mp4", frames)
    verdict = copy.world.verify(forged, recording=copy.world.recording)
    assert (verdict["failed_step"], verdict["code"]) == ("untouched_matches", "pieces_differ")
    assert f"frame {at}, plane 0, 128 from the left and 64 from the top" in verdict["message"]
    # Beside a proof the file itself is another one, and the check ends there.
    proof = (copy.world.folder / "copy.mp4.proof").read_bytes()
    forged.with_name("forged.mp4.proof").write_bytes(proof)
    assert copy.world.verify(forged)["failed_step"] == "result_matches"


def test_a_worker_that_touches_more_than_it_covers_is_found_though_it_signs(
    copy: Copy, tmp_path: Path
) -> None:
    """The statement is about the very file; what the worker did beside its covers is located all the same."""
    at, row, column = OUTSIDE
    frames = [shown.copy() for shown in copy.frames]
    frames[at][row : row + 2, column - 10] = 255 - frames[at][row : row + 2, column - 10]
    file = copy.written(tmp_path / "result.mp4", frames)
    proof = copy.world.house.prove_job("liar", file.read_bytes(), pieces=copy.root.hex())
    file.with_name("result.mp4.proof").write_bytes(proof)
    page = tmp_path / "page.html"
    verdict = copy.world.verify(file, html=page)
    assert (verdict["failed_step"], verdict["code"]) == ("untouched_matches", "pieces_differ")
    differences = verdict["untouched"]["differences"]
    assert differences == [{"frame": at, "plane": 0, "left": 64, "top": 64}]
    assert "64 from the left, 64 from the top" in page.read_text()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("a frame less", "pieces_missing"),
        ("a frame more", "pieces_missing"),
        ("in slow motion", "pieces_differ"),
        ("with loss", "pieces_differ"),
        ("with a second film, for players that prefer it", "media_unsupported"),
    ],
)
@pytest.mark.usefixtures("here")
def test_other_copies(copy: Copy, tmp_path: Path, name: str, code: str) -> None:
    target = tmp_path / "copy.mp4"
    match name:
        case "a frame less":
            copy.written(target, copy.frames[:-1])
        case "a frame more":
            copy.written(target, [*copy.frames, copy.frames[0]])
        case "in slow motion":
            copy.written(target, rate=RATE // 2)
        case "with loss":
            copy.written(target, crf="20")
        case _:
            copy.written(target, films=2)
    verdict = copy.world.verify(target, recording=copy.world.recording)
    assert (verdict["failed_step"], verdict["code"]) == ("untouched_matches", code)


@pytest.mark.usefixtures("here")
def test_the_package_of_another_original(copy: Copy, tmp_path: Path) -> None:
    target = copy.written(tmp_path / "copy.mp4")
    package = target.with_name("copy.mp4.untouched")
    package.write_bytes(last_byte_changed(package.read_bytes()))
    verdict = copy.world.verify(target, recording=copy.world.recording)
    assert verdict["code"] in {"pieces_not_committed", "pieces_malformed"}
    package.write_bytes(b"")
    assert copy.world.verify(target, recording=copy.world.recording)["code"] == "pieces_malformed"


def test_the_verifier_alone_says_that_it_did_not_look(copy: Copy, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [str(copy.world.folder / "copy.mp4"), "--trust", str(copy.world.trust)]
    assert verifier_alone(asked) == 0
    assert "It was not looked at" in capsys.readouterr().out
    part = copy.world.folder / "part.mkv"
    assert copy.world.reveal(part, "0", "0.4") == 0
    assert verifier_alone([str(part), *asked[1:]]) == 1
    told = capsys.readouterr().out
    assert "NOT VERIFIED at part_matches (decoder_missing)" in told
    assert "frames 0 to 9 of 20" in told
    package = part.with_name("part.mkv.reveal")
    package.write_bytes(last_byte_changed(package.read_bytes()))
    assert verifier_alone([str(part), *asked[1:]]) == 1
