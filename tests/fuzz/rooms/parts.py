"""The reader's side of pieces: a part and a copy with all that stands beside them, and the decoder's pipe."""

from __future__ import annotations

import dataclasses
import io
from functools import cache

from console.report.undecoded import without_decoder
from evaluation.errors import EvaluationError
from evaluation.pieces.records import DONE, Frame, Looks, RecordWriter, read_records
from provenance.checklist import VerificationError
from provenance.committed import Sources, verify_copy, verify_part, verify_recording
from provenance.pieces.errors import PiecesError
from provenance.trust import Trust
from tests.fuzz.rooms.pieces import CAMERA, recording, reveal, untouched
from tests.fuzz.rooms.proofs import house
from tests.fuzz.target import Target
from tests.unit.provenance.pieces_makers import committed, film, pieces

SHOWER = "whoever shows a part of an original"


@cache
def believed() -> Trust:
    """A reader who believes a service and a camera."""
    return dataclasses.replace(house().trust, recorders=(CAMERA.public,))


@cache
def proof() -> bytes:
    """Of a job that committed to the same original."""
    return house().prove_job("parts", pieces=committed().root.hex())


def sources() -> Sources:
    """Both say what the original was."""
    return Sources(believed(), proof(), recording())


def check_part(untrusted: bytes) -> None:
    """A part: what is shown are these blocks and frames, whoever says otherwise."""
    everything = pieces()
    shown = {
        "bytes": everything["bytes"][1:4],
        "frames": [*everything["frames"][:2], everything["frames"][5]],
    }
    verified = verify_part(sources(), untrusted, lambda _: shown)
    assert untrusted == reveal()
    assert verified.origin.root == committed().root


def check_undecoded(untrusted: bytes) -> None:
    """Without a decoder nothing is ever verified, whatever the package says."""
    verdict = without_decoder(untrusted, Sources(believed(), proof()))
    assert verdict.failure is not None
    assert not verdict.document()["verified"]
    assert verdict.failure.code != "decoder_missing" or untrusted == reveal()


def check_copy(untrusted: bytes) -> None:
    """A copy: nothing in the package makes more of it proven."""
    report = verify_copy(sources(), io.BytesIO(untrusted), film()).report
    assert report.tiles_proven + report.tiles_hidden == report.tiles


def check_recorder(untrusted: bytes) -> None:
    """A recorder's word."""
    root, _ = verify_recording(untrusted, believed())
    assert root == committed().root


@cache
def records() -> bytes:
    """Everything that a decoder can tell."""
    pipe = io.BytesIO()
    writer = RecordWriter(pipe)
    writer.looks(Looks(is_rgb=False, bits=8, color_range=1, colorspace=1, aspect=(1, 1)))
    writer.sound_begins(-21_000, is_float=False)
    for time_us, planes in film()[:2]:
        writer.frame(time_us, (130, 70, 65, 35, 1), planes)
    writer.sound((48_000, 2, 2), bytes(64))
    writer.no_frames()
    writer.no_sound()
    writer.end(DONE)
    return pipe.getvalue()


def check_records(untrusted: bytes) -> None:
    """Lengths follow from numbers."""
    for record in read_records(io.BytesIO(untrusted)):
        if isinstance(record, Frame):
            width, height, chroma_width, chroma_height, sample_bytes = record.numbers
            samples = width * height + 2 * chroma_width * chroma_height
            assert sum(map(len, record.planes)) == samples * sample_bytes


TARGETS = (
    Target(
        name="part",
        sender=SHOWER,
        parsers=("provenance.committed.verify_part",),
        parse=check_part,
        seeds=lambda: (reveal(),),
        errors=(VerificationError,),
        examples=60,
    ),
    Target(
        name="part_undecoded",
        sender=SHOWER,
        parsers=("console.report.undecoded.without_decoder", "provenance.committed.verify_package"),
        parse=check_undecoded,
        seeds=lambda: (reveal(),),
        errors=(),
        examples=60,
    ),
    Target(
        name="copy",
        sender="whoever hands over a lossless copy",
        parsers=("provenance.committed.verify_copy",),
        parse=check_copy,
        seeds=lambda: (untouched(),),
        errors=(VerificationError,),
        examples=40,
    ),
    Target(
        name="recorder",
        sender="whoever says that a device recorded this",
        parsers=("provenance.committed.verify_recording",),
        parse=check_recorder,
        seeds=lambda: (recording(),),
        errors=(PiecesError,),
        json=True,
        examples=100,
    ),
    Target(
        name="decoder_records",
        sender="a decoder that a file has taken over",
        parsers=("evaluation.pieces.records.read_records",),
        parse=check_records,
        seeds=lambda: (records(),),
        errors=(EvaluationError,),
        tokens=(b"F" + b"\xff" * 28, b"S" + b"\xff" * 16, b"E\x04done", b"E\xff", b"B" + b"\x80" * 9),
    ),
)
