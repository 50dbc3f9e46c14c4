"""What a job saw: the record as a worker reads it, and as it is handed in."""

from __future__ import annotations

from functools import cache

import numpy as np

from anonymizer.boxes import no_boxes
from anonymizer.detect.finders import Finder, Sought
from anonymizer.errors import AnonymizerError
from anonymizer.review.recording import MAGIC, Recorder, parse_record
from anonymizer.review.spoken import packed_turns, parse_turns
from anonymizer.settings import FaceSettings, TextSettings
from anonymizer.speakers import Turn, Turns
from enclave.errors import WorkerError
from enclave.worker.record import About, open_record, seal_record
from tests.fuzz.target import Target

KEY = bytes(range(32))
TURNS = Turns((Turn(0.0, 0.5, 0, True), Turn(0.5, 0.9, 1, False)), 1.0)
ABOUT = About(bytes(32), bytes(32), "balanced", bytes(32), bytes(32))


@cache
def records() -> tuple[bytes, ...]:
    """One of two searches, a cut, somebody recognized and two who speak; one of nothing."""
    texts = (Sought("text", TextSettings()), Sought("plate", TextSettings()))
    finders = tuple(Finder(sought, lambda *_: {}) for sought in ((Sought("face", FaceSettings()),), texts))
    full, bare = Recorder(finders), Recorder(finders[:1])
    boxes = np.arange(15, dtype=np.float32).reshape(3, 5)
    for index in range(4):
        full.now = index
        full.look(0, index, {"face": boxes[:index]})
        full.look(1, index, {"text": boxes, "plate": no_boxes()})
        full.recognized({1: "host"} if index in {1, 2} else {})
    full.cut(2)
    full.hear(TURNS)
    return (
        full.finish(640, 360, 4, [(3,), (3, 0)]).to_bytes(),
        bare.finish(640, 360, 1, [(0,)]).to_bytes(),
    )


def read_record(untrusted: bytes) -> None:
    """A record that is read encodes back; its looks have finite boxes."""
    record = parse_record(untrusted)
    assert record.to_bytes() == untrusted
    assert all(0 <= each.first < each.end for each in record.recognized)
    assert record.spoken is None or all(turn.begin < turn.end for turn in record.spoken.turns)
    for search in range(len(record.searches)):
        assert all(np.isfinite(boxes).all() for look in record.looks(search) for boxes in look.boxes)


def read_sealed(untrusted: bytes) -> None:
    """What opens is what was sealed: nothing else ever does."""
    assert open_record(untrusted, KEY, ABOUT) in records()


def read_turns(untrusted: bytes) -> None:
    """Turns that are read encode back."""
    assert packed_turns(parse_turns(untrusted)) == untrusted


TARGETS = (
    Target(
        name="review_turns",
        sender="a worker, in a record",
        parsers=("anonymizer.review.spoken.parse_turns",),
        parse=read_turns,
        seeds=lambda: (packed_turns(TURNS), packed_turns(Turns((), 2.0))),
        errors=(AnonymizerError,),
    ),
    Target(
        name="review_record",
        sender="a worker, sealed; the seal is what keeps it whole",
        parsers=(
            "anonymizer.review.recording.parse_record",
            "anonymizer.review.header.parse_header",
            "anonymizer.review.recording._blocks",
            "anonymizer.enrolled.remembering.parse_recognized",
            "anonymizer.review.spoken.parse_turns",
        ),
        parse=read_record,
        seeds=records,
        errors=(AnonymizerError,),
        tokens=(MAGIC, b'"searches":[[["face",false]]]', b'"begun":[[0]]', b"\xff\x00\x00\x00\x00"),
    ),
    Target(
        name="sealed_review_record",
        sender="whoever submits, inside the seal",
        parsers=("enclave.worker.record.open_record",),
        parse=read_sealed,
        seeds=lambda: tuple(seal_record(record, KEY, ABOUT) for record in records()),
        errors=(WorkerError,),
    ),
)
