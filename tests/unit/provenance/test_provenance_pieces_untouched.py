"""What no cover touched is proven, one changed sample is found and located, and nobody is believed."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

import pytest
from pieces_makers import FRAMES, SECRET, SHAPE, committed, film, noise, untouched_package
from provenance_makers import TestSigner

from provenance.pieces.committing import TileTree
from provenance.pieces.cutting import PictureShape, blocks_of, tiles_of
from provenance.pieces.description import Commitment
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import piece_hash
from provenance.pieces.recording import Recording, sign_recording
from provenance.pieces.untouched import (
    MAGIC,
    TimedFrame,
    UntouchedReport,
    untouched_end,
    untouched_head,
    untouched_record,
    verify_untouched,
)

TILES = 3 * 2 + 2 * 2
# A face that crosses the border of two luma tiles, in every frame but the last; one frame is all covered.
BOX = (60, 10, 70, 30)
COVERED = [
    *[SHAPE.tiles_under([BOX])] * 4,
    frozenset(range(TILES)),
    *[SHAPE.tiles_under([BOX])] * (FRAMES - 6),
    frozenset[int](),
]


def anonymized() -> list[TimedFrame]:
    """The lossless copy: the original with what is covered replaced."""
    frames: list[TimedFrame] = []
    for (time_us, planes), covered in zip(film(), COVERED, strict=True):
        changed = list(map(bytearray, planes))
        if covered:
            for plane, (width, height) in enumerate(SHAPE.planes):
                half = 2 if plane else 1
                left, top, right, bottom = (side // half for side in BOX)
                if len(covered) == TILES:
                    left, top, right, bottom = 0, 0, width, height
                for row in range(top, bottom):
                    changed[plane][row * width + left : row * width + right] = bytes(right - left)
        frames.append((time_us, tuple(map(bytes, changed))))
    return frames


def report_of(frames: Sequence[TimedFrame], root: bytes | None = None) -> UntouchedReport:
    package = io.BytesIO(untouched_package(COVERED))
    return verify_untouched(package, committed().root if root is None else root, frames)


def refusal(package: bytes, frames: Sequence[TimedFrame], root: bytes | None = None) -> PiecesError:
    with pytest.raises(PiecesError) as caught:
        verify_untouched(io.BytesIO(package), committed().root if root is None else root, frames)
    return caught.value


def with_sample(frame: int, plane: int, at: int) -> list[TimedFrame]:
    """The copy with one sample changed by one."""
    frames = anonymized()
    time_us, planes = frames[frame]
    changed = list(map(bytearray, planes))
    changed[plane][at] ^= 1
    frames[frame] = (time_us, tuple(map(bytes, changed)))
    return frames


def test_all_but_the_covered_tiles_are_proven() -> None:
    report = report_of(anonymized())
    report.require_sound()
    assert SHAPE.tiles_under([BOX]) == {0, 1, 6, 8}
    covered = sum(map(len, COVERED))
    assert (report.frames, report.tiles) == (FRAMES, FRAMES * TILES)
    assert (report.tiles_hidden, report.tiles_proven) == (covered, FRAMES * TILES - covered)
    assert (report.tiles_differing, report.differences, report.frames_retimed) == (0, (), 0)
    sizes = [len(tile) for tile in tiles_of(SHAPE, film()[0][1])]
    assert report.samples == sum(sizes) * FRAMES
    proven = sum(size for covers in COVERED for at, size in enumerate(sizes) if at not in covers)
    assert report.samples_proven == proven
    assert report.proven_permille == proven * 1000 // report.samples


@pytest.mark.parametrize(
    ("frame", "plane", "x", "y", "corner"),
    [
        (0, 0, 128, 0, (128, 0)),
        (0, 0, 127, 69, (64, 64)),
        (3, 0, 0, 64, (0, 64)),
        (FRAMES - 1, 0, 63, 63, (0, 0)),
        (FRAMES - 1, 0, 129, 69, (128, 64)),
        (5, 1, 64, 34, (64, 0)),
        (FRAMES - 1, 2, 0, 0, (0, 0)),
    ],
)
def test_one_changed_sample_is_found_and_located(
    frame: int, plane: int, x: int, y: int, corner: tuple[int, int]
) -> None:
    report = report_of(with_sample(frame, plane, y * SHAPE.planes[plane][0] + x))
    assert report.tiles_differing == 1
    [found] = report.differences
    assert (found.frame, found.plane, found.left, found.top) == (frame, plane, *corner)
    assert report.tiles_proven == report_of(anonymized()).tiles_proven - 1
    with pytest.raises(PiecesError) as caught:
        report.require_sound()
    assert caught.value.code == "pieces_differ"
    assert f"frame {frame}, plane {plane}, {corner[0]} from the left and {corner[1]}" in str(caught.value)


def test_a_change_under_the_cover_is_neither_proven_nor_blamed() -> None:
    assert report_of(with_sample(0, 0, 20 * 130 + 65)) == report_of(anonymized())


def test_frames_cannot_change_places_or_times() -> None:
    frames = anonymized()
    frames[0], frames[1] = (0, frames[1][1]), (40_000, frames[0][1])
    assert {found.frame for found in report_of(frames).differences} == {0, 1}
    slower = [(time_us * 2, planes) for time_us, planes in anonymized()]
    report = report_of(slower)
    assert (report.tiles_differing, report.frames_retimed) == (0, FRAMES - 1)
    with pytest.raises(PiecesError):
        report.require_sound()


@pytest.mark.parametrize(
    "frames", [anonymized()[:-1], anonymized()[1:], [*anonymized(), anonymized()[-1]], []]
)
def test_no_frame_is_left_out_or_added(frames: list[TimedFrame]) -> None:
    assert refusal(untouched_package(COVERED), frames).code == "pieces_missing"


def test_pictures_of_another_shape_are_no_copy() -> None:
    frames = [(time_us, planes[:1]) for time_us, planes in anonymized()]
    assert refusal(untouched_package(COVERED), frames).code == "pieces_malformed"


def test_the_package_does_not_confirm_a_guess_of_what_is_covered() -> None:
    """The attacker has the very tile that is covered, the whole package, and every salt in it."""
    made = committed()
    openings = [
        made.tiles.open_frame(at, planes, covered)
        for at, ((_, planes), covered) in enumerate(zip(film(), COVERED, strict=True))
    ]
    salts = {salt for opening in openings for salt in opening.salts()}
    salts |= {row for opening in openings for row in (*opening.seeds, *opening.hidden)}
    confirmed = {row for opening in openings for row in (*opening.hidden, *opening.shown)}
    shown = 0
    for at, (_, planes) in enumerate(film()):
        for number, tile in enumerate(tiles_of(SHAPE, planes)):
            found = any(piece_hash("tiles", salt, tile) in confirmed for salt in salts)
            assert found == (number not in COVERED[at])
            shown += found
    assert shown == report_of(anonymized()).tiles_proven


def test_a_worker_that_hides_less_than_it_touched_only_accuses_itself() -> None:
    package = untouched_package([frozenset()] * FRAMES)
    report = verify_untouched(io.BytesIO(package), committed().root, anonymized())
    assert report.tiles_differing == sum(map(len, COVERED))
    assert report.tiles_proven == report_of(anonymized()).tiles_proven


def test_a_worker_cannot_make_a_tree_of_what_it_changed() -> None:
    """Own tiles under an own tree, with the original's root in place."""
    other = committed(noise("other", 32))
    records = [
        untouched_record(time_us, other.tiles.open_frame(at, planes, ()))
        for at, (time_us, planes) in enumerate(film())
    ]
    begun = untouched_head(SHAPE) + b"".join(records)
    forged = begun + untouched_end(committed().commitment)
    assert refusal(forged, film()).code == "pieces_not_committed"
    whole = begun + untouched_end(other.commitment)
    assert refusal(whole, film()).code == "pieces_not_committed"
    assert verify_untouched(io.BytesIO(whole), other.root, film()).proven_permille == 1000


def test_it_holds_under_a_cameras_signature_alone() -> None:
    camera, worker = TestSigner("camera"), TestSigner("worker")
    recording = Recording.from_bytes(sign_recording(committed().root, camera).to_bytes())
    root = recording.verify(camera.public)
    report_of(anonymized(), root).require_sound()
    for signed, key in [
        (recording, worker),
        (Recording(noise("other", 32), recording.signatures), camera),
        (Recording(recording.root, recording.signatures[:1]), camera),
        (Recording(recording.root, recording.signatures[::-1]), camera),
    ]:
        with pytest.raises(PiecesError) as caught:
            signed.verify(key.public)
        assert caught.value.code == "pieces_not_signed"


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw[:-1],
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b"recording/v1", b"recording/v2"),
        lambda raw: raw.replace(b'"format"', b'"Format"'),
        lambda raw: raw.replace(b"ed25519:", b"ed25518:"),
        lambda raw: b'{"commitment":"","format":"bauta.recording/v1","signatures":[]}',
        lambda raw: b"[]",
    ],
)
def test_a_recordings_signature_has_one_form(change: object) -> None:
    assert callable(change)
    raw = sign_recording(committed().root, TestSigner("camera")).to_bytes()
    with pytest.raises(PiecesError):
        Recording.from_bytes(change(raw))


def test_every_part_of_a_package_counts() -> None:
    package, frames = untouched_package(COVERED), anonymized()
    for at in [*range(400), *range(400, len(package), 61)]:
        bent = package[:at] + bytes([package[at] ^ 1]) + package[at + 1 :]
        try:
            report = verify_untouched(io.BytesIO(bent), committed().root, frames)
        except PiecesError:
            continue
        # Only a seed is not below the root; a false one proves nothing.
        assert report.tiles_differing, at
    for length in range(0, len(package), 97):
        assert refusal(package[:length], frames).code == "pieces_malformed"
    assert refusal(package + b"\x00", frames).code == "pieces_malformed"


def test_records_with_lying_numbers() -> None:
    head = untouched_head(SHAPE)
    for record in [
        struct.pack(">QI", 0, 2**32 - 1),
        struct.pack(">QI", 2**63, 0),
        struct.pack(">QIII", 0, 1, 0, TILES + 1),
        struct.pack(">QIII", 0, 1, 3, 3),
        struct.pack(">QIIIII", 0, 2, 4, 5, 0, 1),
    ]:
        error = refusal(head + record + bytes(4096), anonymized())
        assert error.code in {"pieces_malformed", "pieces_no_such_part"}
    for start in [b"", MAGIC, MAGIC + b"{}\n", MAGIC + b"x" * (1 << 17), b"bauta.reveal/v1\n"]:
        assert refusal(start, []).code == "pieces_malformed"


@pytest.mark.parametrize(
    "shape",
    [
        b"{}",
        b'{"shape":[]}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":64,"sample_bytes":1}}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":64,"sample_bytes":1,"width":"64"}}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":64,"sample_bytes":1,"width":true}}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":64,"sample_bytes":3,"width":64}}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":0,"sample_bytes":1,"width":64}}',
        b'{"shape":{"chroma_height":0,"chroma_width":0,"height":16384,"sample_bytes":1,"width":9999999}}',
    ],
)
def test_a_shape_that_is_none(shape: bytes) -> None:
    assert refusal(MAGIC + shape + b"\n", anonymized()).code == "pieces_malformed"


def test_a_package_cannot_say_another_shape_than_the_tree() -> None:
    package = untouched_package(COVERED)
    untold = package.replace(b'"sample_bytes":1', b'"sample_bytes":2', 1)
    assert untold != package
    assert refusal(untold, anonymized()).code in {"pieces_malformed", "pieces_not_committed"}


def test_frames_are_added_and_opened_in_one_go_as_in_two() -> None:
    tree = TileTree(SECRET, SHAPE)
    for at, (time_us, planes) in enumerate(film()):
        opening = tree.add_opened(time_us, planes, COVERED[at])
        assert opening == committed().tiles.open_frame(at, planes, COVERED[at])
    assert tree.describe() == committed().tiles.describe()


def test_an_original_without_pictures_has_no_such_package() -> None:
    with pytest.raises(PiecesError) as caught:
        untouched_end(Commitment(bytes(32), {}))
    assert caught.value.code == "pieces_no_such_part"
    with pytest.raises(PiecesError):
        committed().tiles.open_frame(FRAMES, film()[0][1], ())


@pytest.mark.parametrize("sample_bytes", [1, 2])
@pytest.mark.parametrize("sides", [(1, 1), (63, 64), (64, 65), (128, 64), (200, 130)])
def test_tiles_are_the_picture(sides: tuple[int, int], sample_bytes: int) -> None:
    width, height = sides
    shape = PictureShape(width, height, -(-width // 2), -(-height // 2), sample_bytes)
    planes = [noise(str(at), w * h * sample_bytes) for at, (w, h) in enumerate(shape.planes)]
    tiles = list(tiles_of(shape, planes))
    assert len(tiles) == shape.tiles
    back = [bytearray(len(plane)) for plane in planes]
    for at, tile in enumerate(tiles):
        plane, left, top = shape.tile_at(at)
        row_bytes = shape.planes[plane][0] * sample_bytes
        wide = min(64 * sample_bytes, row_bytes - left * sample_bytes)
        for row in range(len(tile) // wide):
            start = (top + row) * row_bytes + left * sample_bytes
            back[plane][start : start + wide] = tile[row * wide : (row + 1) * wide]
    assert list(map(bytes, back)) == planes
    with pytest.raises(PiecesError):
        shape.tile_at(shape.tiles)


@pytest.mark.parametrize(
    ("box", "tiles"),
    [
        ((0, 0, 130, 70), set(range(TILES))),
        ((64, 64, 65, 65), {4, 6, 8}),
        ((63, 63, 65, 65), {0, 1, 3, 4, 6, 8}),
        ((128, 0, 130, 1), {2, 7, 9}),
        ((127, 0, 128, 1), {1, 6, 8}),
        ((-50, -50, 1, 1), {0, 6, 8}),
        ((5, 5, 5, 9), set()),
        ((200, 0, 300, 10), set()),
    ],
)
def test_tiles_under_a_box(box: tuple[int, int, int, int], tiles: set[int]) -> None:
    assert SHAPE.tiles_under([box]) == tiles


@pytest.mark.parametrize(
    "numbers",
    [
        (0, 1, 0, 0, 1),
        (1, 1, 2, 1, 1),
        (4, 4, 2, 0, 1),
        (4, 4, 2, 2, 3),
        (1 << 15, 1, 0, 0, 1),
        (4, 4, -1, 2, 1),
    ],
)
def test_shapes_are_strict(numbers: tuple[int, int, int, int, int]) -> None:
    with pytest.raises(PiecesError):
        PictureShape(*numbers)


def test_blocks_are_the_stream_however_it_comes() -> None:
    stream = noise("stream", 1001)
    for step in (1, 99, 100, 101, 1001):
        chunks = [stream[at : at + step] for at in range(0, 1001, step)]
        blocks = list(blocks_of(chunks, 100))
        assert b"".join(blocks) == stream
        assert [len(block) for block in blocks] == [100] * 10 + [1]
