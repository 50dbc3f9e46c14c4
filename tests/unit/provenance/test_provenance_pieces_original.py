"""An original on its way past: one commitment however it is cut on the road, and nothing makes it fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pieces_makers import SECRET, SHAPE, film, noise

from provenance.pieces.committing import PieceTree, TileTree, frame_piece
from provenance.pieces.cutting import BLOCK_BYTES
from provenance.pieces.description import Commitment, absent
from provenance.pieces.errors import PiecesError
from provenance.pieces.original import BLOCK_SAMPLES, OriginalTrees

CONTAINER = noise("container", 3 * BLOCK_BYTES + 17)
FORM = (48_000, 2, 2)
SOUND = noise("sound", 4 * (2 * BLOCK_SAMPLES + 5))


def told(trees: OriginalTrees, step: int = 1 << 20) -> OriginalTrees:
    """Streams the whole original by, in chunks of `step` bytes."""
    for at in range(0, len(CONTAINER), step):
        trees.container(CONTAINER[at : at + step])
    for time_us, planes in film():
        trees.frame(time_us, SHAPE.numbers, planes)
    for at in range(0, len(SOUND), step):
        trees.sound(FORM, SOUND[at : at + step])
    trees.finish()
    return trees


def by_hand() -> Commitment:
    """The same, tree by tree."""
    container, sound = (
        PieceTree(SECRET, "bytes", (BLOCK_BYTES,)),
        PieceTree(SECRET, "audio", (BLOCK_SAMPLES, 48_000, 2, 2)),
    )
    for tree, content, size in ((container, CONTAINER, BLOCK_BYTES), (sound, SOUND, 4 * BLOCK_SAMPLES)):
        for at in range(0, len(content), size):
            tree.add(content[at : at + size])
    frames, tiles = PieceTree(SECRET, "frames", SHAPE.numbers), TileTree(SECRET, SHAPE)
    for time_us, planes in film():
        frames.add(frame_piece(time_us, planes))
        tiles.add(time_us, planes)
    trees = (container, frames, sound, tiles)
    return Commitment(SECRET, {tree.describe().kind: tree.describe() for tree in trees})


@pytest.mark.parametrize("step", [1 << 20, 4096, 1013])
def test_it_is_one_commitment_in_whatever_chunks_it_comes(step: int) -> None:
    assert told(OriginalTrees(SECRET, tiles=True), step).commitment().root == by_hand().root


def test_tiles_may_come_from_somebody_else() -> None:
    tiles = TileTree(SECRET, SHAPE)
    for time_us, planes in film():
        tiles.add(time_us, planes)
    trees = told(OriginalTrees(SECRET, tiles=False))
    assert trees.commitment(tiles).root == by_hand().root
    assert trees.tile_tree is None
    assert trees.commitment().descriptions["tiles"] == absent("tiles")


FRAME = film()[0][1]
SPOILT: dict[str, tuple[Callable[[OriginalTrees], None], str]] = {
    "a frame of another size": (lambda trees: trees.frame(1, (64, 64, 32, 32, 1), FRAME), "frames"),
    "a frame with a short plane": (
        lambda trees: trees.frame(1, SHAPE.numbers, (FRAME[0][:-1], *FRAME[1:])),
        "frames",
    ),
    "a frame without colours": (lambda trees: trees.frame(1, SHAPE.numbers, FRAME[:1]), "frames"),
    "a frame before time": (lambda trees: trees.frame(-1, SHAPE.numbers, FRAME), "frames"),
    "frames that cannot be told": (lambda trees: trees.no_frames(), "frames"),
    "sound at another rate": (lambda trees: trees.sound((44_100, 2, 2), b"1234"), "audio"),
    "sound that ends in an error": (lambda trees: trees.no_sound(), "audio"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_not_of_one_form_is_not_committed_to_at_all(case: str) -> None:
    spoil, kind = SPOILT[case]
    trees = OriginalTrees(SECRET, tiles=True)
    trees.container(CONTAINER)
    for time_us, planes in film():
        trees.frame(time_us, SHAPE.numbers, planes)
    trees.sound(FORM, SOUND)
    spoil(trees)
    # What comes later does not begin it anew.
    trees.frame(10**9, SHAPE.numbers, FRAME)
    trees.sound(FORM, SOUND)
    trees.finish()
    descriptions = trees.commitment().descriptions
    gone = {"frames", "tiles"} if kind == "frames" else {"audio"}
    assert {name for name, tree in descriptions.items() if tree.size == 0} == gone
    assert (trees.frames_tree is None, trees.tile_tree is None) == (kind == "frames",) * 2
    assert (trees.audio_tree is None) == (kind == "audio")


@pytest.mark.parametrize("numbers", [(), (0, 0, 0, 0, 1), (1 << 15, 64, 0, 0, 1), (64, 64, 32, 32, 3)])
def test_a_picture_of_no_known_shape_is_not_committed_to(numbers: tuple[int, ...]) -> None:
    trees = OriginalTrees(SECRET, tiles=True)
    trees.frame(0, numbers, [b""])
    trees.finish()
    assert trees.commitment().root == OriginalTrees(SECRET, tiles=False).commitment().root


@pytest.mark.parametrize("form", [(0, 2, 2), (48_000, 0, 2), (1 << 25, 2, 2), (48_000, 1 << 20, 8)])
def test_sound_of_no_known_form_is_not_committed_to(form: tuple[int, int, int]) -> None:
    trees = OriginalTrees(SECRET, tiles=False)
    trees.sound(form, b"1234")
    trees.finish()
    assert trees.audio_tree is None


def test_a_secret_has_its_length() -> None:
    with pytest.raises(PiecesError):
        OriginalTrees(bytes(31), tiles=False)
