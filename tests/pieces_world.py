"""An original, somebody who committed to it, and whoever shows and checks parts of it, without a service.

The proofs are real ones, of a log and a worker made here (`provenance_makers`); the job's own part in them is
shown in `integration/test_worker_pieces.py`.
"""

from __future__ import annotations

import dataclasses
import hashlib
import hmac
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anonymizer import AnonymizerError
from console import output
from console.commands.reveal import reveal
from console.commands.verify import verify
from console.opening import Opening
from evaluation.pieces import checking, child, original, revealing
from evaluation.pieces.original import commit_to
from evaluation.pieces.records import DONE, Record, RecordWriter, read_records
from provenance.pieces.recording import sign_recording
from provenance.pieces.secrets import secret_of_upload
from tests.unit.provenance.provenance_makers import House, TestSigner, make_house

SALT = hashlib.sha256(b"the salt of the film").digest()
CAMERA = TestSigner("camera")
RATE, SOUND_RATE = 25, 48_000
SIZE = (160, 96)


def film(path: Path, seconds: float, *, sound: bool = True, seed: int = 1) -> Path:
    """Writes a film of noise that drifts, with two tones: no frame and no block of sound is like another."""
    noise = np.random.default_rng(seed).integers(0, 256, (SIZE[1] * 3 // 2, SIZE[0] * 4), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=RATE, options={"preset": "ultrafast", "crf": "30"})
        (video.width, video.height), video.pix_fmt = SIZE, "yuv420p"
        audio = container.add_stream("aac", rate=SOUND_RATE, layout="stereo") if sound else None
        for at in range(round(seconds * RATE)):
            shown = np.ascontiguousarray(noise[:, at : at + SIZE[0]] // 2 + at % 64)
            frame = av.VideoFrame.from_ndarray(shown.astype(np.uint8), format="yuv420p")
            frame.pts, frame.time_base = at, Fraction(1, RATE)
            container.mux(video.encode(frame))
            if audio is not None:
                ticks = np.arange(SOUND_RATE // RATE) + at * SOUND_RATE // RATE
                heard = np.stack([np.sin(ticks * 0.05), np.sin(ticks * 0.0301)]).astype(np.float32) * 0.5
                samples = av.AudioFrame.from_ndarray(heard, format="fltp", layout="stereo")
                samples.sample_rate, samples.pts = SOUND_RATE, int(ticks[0])
                samples.time_base = Fraction(1, SOUND_RATE)
                container.mux(audio.encode(samples))
        for stream in (video, audio):
            if stream is not None:
                container.mux(stream.encode(None))
    return path


@dataclass(frozen=True)
class World:
    """An original that was handed in, and recorded by a camera; and what its submitter and readers hold."""

    folder: Path
    house: House
    original: Path

    @property
    def opening(self) -> Path:
        """What `bauta submit --opening` keeps."""
        return self.folder / "opening.json"

    @property
    def proof(self) -> Path:
        """Of the job."""
        return self.folder / "result.mp4.proof"

    @property
    def recording(self) -> Path:
        """A camera's signature over the same original, with all trees, under the camera's own secret."""
        return self.folder / "film.recording"

    @property
    def trust(self) -> Path:
        """Whoever is believed: the service and the camera."""
        return self.folder / "trust.json"

    def sign(self, root: bytes, signer: TestSigner = CAMERA) -> None:
        """Lets a camera sign."""
        self.recording.write_bytes(sign_recording(root, signer).to_bytes() + b"\n")

    def reveal(self, target: Path, begins: str | None, ends: str | None, **named: Any) -> int:
        """`bauta reveal`, of the job unless something else is named."""
        chosen = {"opening": self.opening, "proof": self.proof, "trust": self.trust} | named
        return reveal(self.original, target=target, begins=begins, ends=ends, **chosen)

    def verify(self, file: Path, **named: Any) -> dict[str, Any]:
        """`bauta verify --json`."""
        with as_json() as told:
            code = verify(file, trust=self.trust, **named)
        assert code == (0 if told()["verified"] else 1)
        return told()


def world(folder: Path, original: Path) -> World:
    """Hands an original in."""
    made = World(folder, make_house(folder), original)
    root = commit_to(original, secret_of_upload(SALT), tiles=False).commitment.root
    whole = hmac.digest(SALT, original.read_bytes(), "sha256").hex()
    made.proof.write_bytes(made.house.prove_job(pieces=root.hex(), original_commitment=whole))
    Opening(salt=SALT).write(made.opening)
    believed = dataclasses.replace(made.house.trust, recorders=(TestSigner("other").public, CAMERA.public))
    made.trust.write_bytes(believed.to_bytes())
    return made


@contextmanager
def decoding_here() -> Iterator[None]:
    """Lets this process decode, by the very functions of the walled one, which takes a third of a second."""

    @contextmanager
    def decoded(file: Path, what: str = "both", form: str = "any") -> Iterator[Iterator[Record]]:
        told = io.BytesIO()
        with file.open("rb") as source:
            writer, code = RecordWriter(told), DONE
            try:
                child._tell(source, writer, form, what)
            except AnonymizerError as error:
                code = error.code
            writer.end(code)
        told.seek(0)
        yield read_records(told)

    with pytest.MonkeyPatch.context() as patch:
        for module in (checking, original, revealing):
            patch.setattr(module, "decoded", decoded)
        yield


@contextmanager
def as_json() -> Iterator[Callable[[], dict[str, Any]]]:
    """Takes what a command prints."""
    documents: list[dict[str, Any]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            output, "result", lambda document, _: documents.append(json.loads(json.dumps(document)))
        )
        yield lambda: documents[-1]


def remuxed(
    part: Path,
    target: Path,
    *,
    picture: Callable[[int, np.ndarray], np.ndarray | None] | None = None,
    samples: Callable[[np.ndarray], np.ndarray] | None = None,
    frame_shift_ms: Callable[[int], int] = lambda _: 0,
    sound_shift: Callable[[int], int] = lambda _: 0,
    more: str = "",
    codec: str = "ffv1",
) -> Path:
    """Writes a part again, as a forger would: lossless, but for what is asked.

    Args:
        picture: gives a frame's planes, (H * 3 / 2, W) uint8, changed; None leaves it out.
        samples: gives all samples, (n, channels) int32, changed.
        frame_shift_ms: how much later a frame is shown.
        sound_shift: how many samples later a block of 4,096 is heard.
        more: a kind of stream that is added, "video" or "audio".
        codec: of the pictures.
    """
    with av.open(str(part)) as source:
        frames = [frame.to_ndarray() for frame in source.decode(video=0)]
    with av.open(str(part)) as source:
        sound = [frame.to_ndarray() for frame in source.decode(audio=0)] if source.streams.audio else []
    with av.open(str(target), "w", format="matroska") as container:
        streams = [container.add_stream(codec, rate=RATE) for _ in range(2 if more == "video" else 1)]
        for stream in streams:
            (stream.width, stream.height), stream.pix_fmt = SIZE, "yuv420p"
        tracks = [
            container.add_stream("pcm_s32le", rate=SOUND_RATE, layout="stereo")
            for _ in range((2 if more == "audio" else 1) if sound else 0)
        ]
        for at, shown in enumerate(frames):
            planes = shown if picture is None else picture(at, shown.copy())
            if planes is None:
                continue
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
                stream.codec_context.time_base = Fraction(1, 1000)
                frame.pts, frame.time_base = at * 1000 // RATE + frame_shift_ms(at), Fraction(1, 1000)
                container.mux(stream.encode(frame))
        for track in tracks:
            whole = np.concatenate(sound, axis=1).reshape(-1, 2)
            whole = whole if samples is None else samples(whole.copy())
            for at in range(0, len(whole), 4096):
                block = np.ascontiguousarray(whole[at : at + 4096].reshape(1, -1))
                heard = av.AudioFrame.from_ndarray(block, format="s32", layout="stereo")
                heard.sample_rate, heard.pts = SOUND_RATE, at + sound_shift(at // 4096)
                heard.time_base = Fraction(1, SOUND_RATE)
                container.mux(track.encode(heard))
        for stream in (*streams, *tracks):
            container.mux(stream.encode(None))
    return target
