"""What a job commits to behind the real wall, and what its untouched package shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import pytest
from media_factory import face_clip, face_image, sound_only_mp4
from worker_harness import SALT, Finished, Nursery, opened

from anonymizer import Limits
from anonymizer.intake.sniff import sniff
from anonymizer.native import FrameTeller, tell_sound, tell_still
from anonymizer.sound.alone import is_sound_alone
from anonymizer.still import decode_still
from anonymizer.video.reading import Reader
from enclave.policy import Instructions, Terms, shipped
from keyvault.age import HybridIdentity
from provenance.dsse import Envelope
from provenance.pieces.errors import PiecesError
from provenance.pieces.original import OriginalTrees
from provenance.pieces.secrets import secret_of_upload
from provenance.pieces.untouched import TimedFrame, verify_untouched
from provenance.statements import JobFacts, ReleaseFacts

SECRET = bytes(range(32))


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        yield running


@pytest.fixture(scope="module")
def me() -> HybridIdentity:
    return HybridIdentity.generate()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4", seconds=0.5).read_bytes()


class Films(OriginalTrees):
    """A reader's own commitment, which also keeps the frames."""

    def __init__(self, secret: bytes, *, tiles: bool) -> None:
        super().__init__(secret, tiles=tiles)
        self.film: list[TimedFrame] = []

    def frame(self, time_us: int, numbers: tuple[int, ...], planes: object) -> None:
        assert isinstance(planes, tuple)
        self.film.append((time_us, planes))
        super().frame(time_us, numbers, planes)


def read(media: bytes, secret: bytes = bytes(32), *, tiles: bool = False) -> Films:
    """Commits to a file as a reader does who has nothing but the file and the secret."""
    trees, stream = Films(secret, tiles=tiles), BytesIO(media)
    trees.container(media)
    kind = sniff(stream)
    if kind.is_still:
        tell_still(decode_still(media, kind), trees)
    else:
        if not is_sound_alone(stream, kind, Limits()):
            reader, teller = Reader(stream, kind, Limits(), threads=1), FrameTeller(trees)
            for frame in reader.frames(with_sound=False):
                assert isinstance(frame, av.VideoFrame)
                teller.tell(frame)
            reader.close()
        tell_sound(stream, kind, Limits(), trees)
    trees.finish()
    return trees


def terms_for(me: HybridIdentity, policy: str, mode: str = "balanced") -> Terms:
    return Terms(policy=shipped()[policy], mode=mode, recipients=(str(me.recipient),))


def facts_of(nursery: Nursery, finished: Finished) -> JobFacts:
    evidence = Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    worker_key = ReleaseFacts.from_statement(evidence).worker_key
    return JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker_key))


def run(
    nursery: Nursery, me: HybridIdentity, media: bytes, policy: str, told: Instructions | None = None
) -> tuple[Finished, JobFacts]:
    terms = terms_for(me, policy)
    finished = nursery.run(nursery.seal(media, terms, told), terms.to_bytes())
    return finished, facts_of(nursery, finished)


def test_every_job_commits_to_what_a_reader_finds_too(
    nursery: Nursery, me: HybridIdentity, clip: bytes, tmp_path: Path
) -> None:
    still = face_image(tmp_path / "face.png").read_bytes()
    sound = sound_only_mp4(tmp_path / "sound.mp4").read_bytes()
    secret = secret_of_upload(SALT)
    for media, policy, kinds in [
        (clip, "street", {"bytes", "frames", "audio"}),
        (still, "street", {"bytes", "frames"}),
        (sound, "classroom", {"bytes", "audio"}),
    ]:
        finished, facts = run(nursery, me, media, policy)
        commitment = read(media, secret).commitment()
        assert facts.pieces == commitment.root.hex()
        assert {kind for kind, tree in commitment.descriptions.items() if tree.size} == kinds
        assert (facts.untouched, facts.untouched_sha256) == ({}, None)
        assert (finished.result.untouched_bytes, finished.untouched) == (0, b"")
        # The same pieces under another salt are another commitment.
        assert facts.pieces != read(media).commitment().root.hex()


def test_a_devices_secret_gives_a_devices_commitment(
    nursery: Nursery, me: HybridIdentity, clip: bytes
) -> None:
    _, facts = run(nursery, me, clip, "street", Instructions(pieces_secret=SECRET))
    device = read(clip, SECRET, tiles=True).commitment()
    assert facts.pieces == device.root.hex()
    assert device.descriptions["tiles"].size == 12


def test_what_no_cover_touched_is_shown_to_be_the_originals(
    nursery: Nursery, me: HybridIdentity, clip: bytes
) -> None:
    finished, facts = run(nursery, me, clip, "evidence", Instructions(pieces_secret=SECRET))
    assert facts.untouched_sha256 == hashlib.sha256(finished.untouched).hexdigest()
    assert finished.result.untouched_sha256.hex() == facts.untouched_sha256
    assert finished.result.untouched_bytes == len(finished.untouched)
    root = bytes.fromhex(facts.pieces or "")
    # The root is the one that a device had signed before: the worker's word is not needed.
    assert root == read(clip, SECRET, tiles=True).commitment().root

    package = opened(finished.untouched, me)
    copy = read(opened(finished.sealed, me)).film
    report = verify_untouched(BytesIO(package), root, copy)
    report.require_sound()
    assert report.tiles_hidden > 0 < report.tiles_proven
    assert facts.frames_with_faces == report.frames == 12
    assert facts.untouched == {
        "frames": report.frames,
        "open_permille": report.proven_permille,
        "tiles": report.tiles,
        "tiles_open": report.tiles_proven,
    }

    # One sample outside the covers.
    time_us, (luma, *chroma) = copy[3]
    changed = bytes([luma[0] ^ 1]) + luma[1:]
    forged = [*copy[:3], (time_us, (changed, *chroma)), *copy[4:]]
    found = verify_untouched(BytesIO(package), root, forged)
    assert [(at.frame, at.plane, at.left, at.top) for at in found.differences] == [(3, 0, 0, 0)]
    with pytest.raises(PiecesError):
        verify_untouched(BytesIO(package), read(clip, bytes(32), tiles=True).commitment().root, copy)


@pytest.mark.parametrize("form", ["a still", "sound alone", "more than 8 bits", "an odd size"])
def test_what_cannot_be_kept_without_loss_is_refused(
    nursery: Nursery, me: HybridIdentity, tmp_path: Path, form: str
) -> None:
    match form:
        case "a still":
            media = face_image(tmp_path / "face.png").read_bytes()
        case "sound alone":
            media = sound_only_mp4(tmp_path / "sound.mp4").read_bytes()
        case "more than 8 bits":
            media = coded("yuv420p10le", (64, 64))
        case _:
            media = coded("yuv420p", (65, 64))
    terms = terms_for(me, "evidence")
    finished = nursery.run(nursery.seal(media, terms), terms.to_bytes())
    assert finished.failure_code == "evidence_impossible"
    assert finished.sealed == b""


def test_a_package_has_a_limit(nursery: Nursery, me: HybridIdentity, clip: bytes) -> None:
    terms = terms_for(me, "evidence")
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes(), max_untouched_bytes=10_000)
    assert finished.failure_code == "untouched_too_large"


def coded(pixels: str, size: tuple[int, int]) -> bytes:
    """Three grey frames in FFV1, whose form is what its pixels are."""
    made = BytesIO()
    with av.open(made, "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height = size
        stream.pix_fmt = pixels
        for at in range(3):
            frame = av.VideoFrame(*size, pixels)
            for plane in frame.planes:
                plane.update(bytes([40]) * plane.buffer_size)
            frame.pts = at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return made.getvalue()
