"""A part of an original: shown, checked by whoever gets it, and every lie with it refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
import typer
from media_factory import face_image

from console.commands.verify import verify
from console.opening import Opening
from evaluation.pieces.original import commit_to
from grpc_api.errors import ServiceError
from provenance.checklist import VerificationError
from provenance.pieces.reveal import RevealPackage
from provenance.pieces.secrets import secret_of_upload
from tests.pieces_world import SALT, World, as_json, decoding_here, film, remuxed, world
from tests.unit.provenance.provenance_makers import TestSigner

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("pieces")
    return world(folder, film(folder / "film.mp4", 6))


@pytest.fixture(scope="module")
def part(handed_in: World) -> Path:
    """Two seconds of six."""
    target = handed_in.folder / "part.mkv"
    assert handed_in.reveal(target, "2", "0:04.0") == 0
    return target


@pytest.fixture
def here() -> Iterator[None]:
    """Tables are long; that a process of its own decodes is shown by the tests without this."""
    with decoding_here():
        yield


def beside(part: Path, changed: Path, **files: bytes) -> Path:
    """Lays package and proof of a part beside a changed one."""
    for ending in ("reveal", "proof"):
        content = files.get(ending, part.with_name(f"{part.name}.{ending}").read_bytes())
        changed.with_name(f"{changed.name}.{ending}").write_bytes(content)
    return changed


def test_two_seconds_verify_and_are_the_originals_to_the_last_sample(handed_in: World, part: Path) -> None:
    verdict = handed_in.verify(part)
    assert verdict["part"]["frames"] == {
        "first": 50,
        "end": 100,
        "of": 150,
        "from_seconds": 2.0,
        "last_seconds": 3.96,
    }
    # Blocks of 4,096 samples that lie wholly within: nothing from outside is heard.
    assert (verdict["part"]["audio"]["first"], verdict["part"]["audio"]["end"]) == (24, 46)
    assert 2 <= verdict["part"]["audio"]["from_seconds"] < verdict["part"]["audio"]["to_seconds"] <= 4
    assert [step["step"] for step in verdict["steps"]][-2:] == ["original_committed", "part_matches"]
    with av.open(str(handed_in.original)) as whole, av.open(str(part)) as clip:
        expected = [frame.to_ndarray() for frame in whole.decode(video=0)][50:100]
        shown = [frame.to_ndarray() for frame in clip.decode(video=0)]
    assert len(shown) == 50
    assert all(np.array_equal(*pair) for pair in zip(shown, expected, strict=True))


def test_files_are_private_and_the_package_is_small(part: Path) -> None:
    for ending in ("", ".reveal", ".proof"):
        assert part.with_name(part.name + ending).stat().st_mode & 0o077 == 0
    assert part.with_name("part.mkv.reveal").stat().st_size < 4096


def test_words_and_page_say_what_is_shown_and_what_is_not_proven(
    handed_in: World, part: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    assert verify(part, trust=handed_in.trust, html=page) == 0
    told = capsys.readouterr().out
    assert "VERIFIED: frames 50 to 99 of 150, from 0:02.000 to 0:03.960" in told
    assert "nobody committed to" in told
    written = page.read_text()
    assert "frames 50 to 99 of 150" in written
    assert "Whoever holds all of this cannot even confirm a guess of it" in written
    assert "film" not in written, "no name of a file"


def invert_one_pixel(at: int, planes: np.ndarray) -> np.ndarray:
    planes[5, 7] ^= at == 20
    return planes


def louder(samples: np.ndarray) -> np.ndarray:
    samples[9000, 1] ^= 1
    return samples


FORGERIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "one sample of one frame": (
        {"picture": invert_one_pixel},
        "pieces_differ",
        "piece 70 of the tree of frames",
    ),
    "one sample of sound": ({"samples": louder}, "pieces_differ", "piece 26 of the tree of audio"),
    "a frame is left out": (
        {"picture": lambda at, planes: None if at == 20 else planes},
        "pieces_differ",
        "frame 20 of the part is shown at another time",
    ),
    "the last frame is left out": (
        {"picture": lambda at, planes: None if at == 49 else planes},
        "pieces_missing",
        "fewer pieces",
    ),
    "half as fast": ({"frame_shift_ms": lambda at: at * 40}, "pieces_differ", "shown at another time"),
    "a pause in the sound": (
        {"sound_shift": lambda block: 24_000 * (block > 9)},
        "media_unsupported",
        "cannot be decoded",
    ),
    "the sound is cut short": ({"samples": lambda all_: all_[:-4096]}, "pieces_missing", "fewer pieces"),
    "sound is added": ({"samples": lambda all_: np.tile(all_, (2, 1))}, "pieces_missing", "more"),
    "a second film, for players that prefer it": (
        {"more": "video"},
        "media_unsupported",
        "cannot be decoded",
    ),
    "a second sound track": ({"more": "audio"}, "media_unsupported", "cannot be decoded"),
    "coded with loss": ({"codec": "mpeg4"}, "media_unsupported", "cannot be decoded"),
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.usefixtures("here")
def test_a_part_that_was_tampered_with(handed_in: World, part: Path, tmp_path: Path, name: str) -> None:
    change, code, words = FORGERIES[name]
    forged = beside(part, remuxed(part, tmp_path / "forged.mkv", **change))
    verdict = handed_in.verify(forged)
    assert (verdict["failed_step"], verdict["code"]) == ("part_matches", code)
    assert words in verdict["message"]


@pytest.mark.usefixtures("here")
def test_written_again_without_loss_it_is_the_same_part(handed_in: World, part: Path, tmp_path: Path) -> None:
    """The table above can fail: the forger's own program, asked to change nothing, makes what verifies."""
    assert handed_in.verify(beside(part, remuxed(part, tmp_path / "again.mkv")))["verified"]


@pytest.mark.usefixtures("here")
def test_sound_that_was_moved_against_the_pictures_is_told(
    handed_in: World, part: Path, tmp_path: Path
) -> None:
    """No commitment is over it, so it is no failure; but nobody who reads the outcome is deceived."""
    moved = beside(part, remuxed(part, tmp_path / "moved.mkv", sound_shift=lambda _: 48_000))
    told = handed_in.verify(moved)["part"]["sound_after_seconds"]
    # Block 24 begins 48 ms after the pictures of the true part, and a second after those of the forger's.
    assert told == pytest.approx(1 - 0.048, abs=0.002)


@pytest.mark.usefixtures("here")
def test_package_and_proof_of_others(handed_in: World, part: Path, tmp_path: Path) -> None:
    other = world(tmp_path, film(tmp_path / "other.mp4", 2, sound=False, seed=2))
    theirs = tmp_path / "part.mkv"
    assert other.reveal(theirs, "0", "1") == 0
    package = theirs.with_name("part.mkv.reveal").read_bytes()
    swapped = tmp_path / "swapped.mkv"
    shutil.copy(part, swapped)
    verdict = handed_in.verify(beside(part, swapped, reveal=package))
    assert (verdict["failed_step"], verdict["code"]) == ("part_matches", "pieces_not_committed")
    # Their proof is good, and of a service that this reader does not believe.
    proof = theirs.with_name("part.mkv.proof").read_bytes().replace(b"bauta", b"bautb", 1)
    verdict = handed_in.verify(beside(part, swapped, proof=proof))
    assert verdict["failed_step"] == "proof_well_formed"
    older = handed_in.house.prove_job(name="older worker")
    verdict = handed_in.verify(beside(part, swapped, proof=older))
    assert (verdict["failed_step"], verdict["code"]) == ("original_committed", "pieces_not_stated")


@pytest.mark.usefixtures("here")
def test_hostile_files_end_in_a_named_step(handed_in: World, part: Path, tmp_path: Path) -> None:
    for name, content in {
        "empty": b"",
        "noise": bytes(range(256)) * 64,
        "cut": part.read_bytes()[:20_000],
        "an mp4": handed_in.original.read_bytes(),
    }.items():
        broken = tmp_path / f"{name}.mkv"
        broken.write_bytes(content)
        verdict = handed_in.verify(beside(part, broken))
        assert verdict["failed_step"] == "part_matches", name


@pytest.mark.usefixtures("here")
def test_pictures_alone_show_nothing_of_the_sound(handed_in: World, part: Path, tmp_path: Path) -> None:
    target = tmp_path / "silent.mkv"
    assert handed_in.reveal(target, "1", "1.5", no_sound=True) == 0
    package = RevealPackage.from_bytes(target.with_name("silent.mkv.reveal").read_bytes())
    assert [tree.kind for tree, _ in package.trees] == ["frames"]
    assert "audio" not in handed_in.verify(target)["part"]
    # Sound that somebody adds to it is refused.
    shutil.copy(part, tmp_path / "loud.mkv")
    verdict = handed_in.verify(beside(target, tmp_path / "loud.mkv"))
    assert verdict["code"] in {"pieces_missing", "pieces_differ"}


REFUSALS: dict[str, tuple[Callable[[World, Path], Any], str]] = {
    "nothing lies there": (lambda w, out: w.reveal(out, "100", "101"), "reveal_nothing"),
    "the opening of another job": (
        lambda w, out: w.reveal(out, "1", "2", opening=_opening(out, salt=bytes(range(32)))),
        "not_the_original",
    ),
    "no proof and no recording": (lambda w, out: w.reveal(out, "1", "2", proof=None), "proof_missing"),
    "an opening that is none": (
        lambda w, out: w.reveal(out, "1", "2", opening=w.proof),
        "opening_invalid",
    ),
}


def _opening(out: Path, **fields: bytes) -> Path:
    path = out.with_name("other.json")
    Opening(**fields).write(path)
    return path


@pytest.mark.parametrize("name", REFUSALS)
@pytest.mark.usefixtures("here")
def test_what_cannot_be_shown(handed_in: World, tmp_path: Path, name: str) -> None:
    ask, code = REFUSALS[name]
    with pytest.raises((ServiceError, VerificationError)) as refused:
        ask(handed_in, tmp_path / "part.mkv")
    assert refused.value.code == code
    assert [path.name for path in tmp_path.iterdir() if path.name != "other.json"] == []


@pytest.mark.parametrize(
    ("begins", "ends", "name"),
    [
        ("4", "2", "a.mkv"),
        ("1", None, "a.mkv"),
        ("1:2:3:4", "5", "a.mkv"),
        ("-1", "2", "a.mkv"),
        ("1", "2", "a.mp4"),
    ],
)
def test_wrong_usage(handed_in: World, tmp_path: Path, begins: str, ends: str | None, name: str) -> None:
    with pytest.raises(typer.BadParameter):
        handed_in.reveal(tmp_path / name, begins, ends)


@pytest.mark.usefixtures("here")
def test_a_recording_keys_word_does_without_the_service(handed_in: World, tmp_path: Path) -> None:
    secret = bytes(range(7, 39))
    opening = tmp_path / "film.opening"
    Opening(secret=secret).write(opening)
    handed_in.sign(commit_to(handed_in.original, secret, tiles=True).commitment.root)
    target = tmp_path / "part.mkv"
    named = {"opening": opening, "proof": None, "recording": handed_in.recording}
    assert handed_in.reveal(target, "0", "0.4", **named) == 0
    verdict = handed_in.verify(target)
    assert [step["step"] for step in verdict["steps"]] == [
        "trust_readable",
        "recording_signed",
        "part_matches",
    ]
    assert "statement" not in verdict
    # Somebody else's camera.
    handed_in.sign(
        RevealPackage.from_bytes(target.with_name("part.mkv.reveal").read_bytes()).top.root(), TestSigner("x")
    )
    verdict = handed_in.verify(target, recording=handed_in.recording)
    assert (verdict["failed_step"], verdict["code"]) == ("recording_signed", "pieces_not_signed")


@pytest.mark.usefixtures("here")
def test_a_picture_opens_as_its_pixels_and_as_its_file(tmp_path: Path) -> None:
    made = world(tmp_path, face_image(tmp_path / "in.jpg"))
    whole, pixels = tmp_path / "whole.jpg", tmp_path / "pixels.png"
    assert made.reveal(whole, None, None) == 0
    assert whole.read_bytes() == made.original.read_bytes()
    blocks = -(-made.original.stat().st_size // 65_536)
    assert made.verify(whole)["part"] == {"bytes": {"first": 0, "end": blocks, "of": blocks}}

    assert made.reveal(pixels, None, None) == 0
    assert made.verify(pixels)["part"]["frames"]["of"] == 1
    shown = cv2.imread(str(pixels))
    shown[3, 4, 1] ^= 1
    cv2.imwrite(str(tmp_path / "forged.png"), shown)
    assert made.verify(beside(pixels, tmp_path / "forged.png"))["code"] == "pieces_differ"
    # A chunk that would have it shown otherwise.
    plain = pixels.read_bytes()
    told = plain[:33] + b"\x00\x00\x00\x04gAMA\x00\x01\x86\xa01\xe8\x96_" + plain[33:]
    (tmp_path / "told.png").write_bytes(told)
    assert made.verify(beside(pixels, tmp_path / "told.png"))["code"] == "media_unsupported"


@pytest.mark.shared
def test_ten_seconds_of_a_real_clip(shared_media: Path, tmp_path: Path) -> None:
    """Of thirty, cars from above, with sound: some 11 KB show them to be what was handed in."""
    made = world(tmp_path, shared_media / "video" / "cars_from_above_432p.mp4")
    target = tmp_path / "part.mkv"
    with as_json() as told:
        assert made.reveal(target, "0:10", "0:20") == 0
    assert told()["package_bytes"] < 15_000
    shown = made.verify(target)["part"]
    frames, sound = shown["frames"], shown["audio"]
    assert frames["of"] == 377
    assert frames["last_seconds"] - frames["from_seconds"] > 9.8
    assert 9.8 < sound["to_seconds"] - sound["from_seconds"] <= 10


def test_the_secret_follows_from_the_salt_and_not_the_salt_from_it() -> None:
    assert secret_of_upload(SALT) != SALT
    assert len(secret_of_upload(SALT)) == 32
