"""Showing stretches of an original: they verify, everything else stays hidden, and every lie has a name."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from pieces_makers import FRAME_US, committed, noise, pieces

from provenance import canonical
from provenance.merkle import node_hash
from provenance.pieces.committing import PieceTree
from provenance.pieces.description import Commitment, TreeDescription
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import EMPTY_ROOT, piece_hash
from provenance.pieces.opening import Stretch
from provenance.pieces.reveal import MAGIC, MAX_REVEAL_BYTES, MAX_STRETCHES, make_reveal, verify_reveal
from provenance.pieces.seeds import TREE_LEVELS, leaf_seeds, salt_of

KINDS = ("bytes", "frames", "audio")


def package_of(**shown: list[Stretch]) -> bytes:
    made = committed()
    trees = [
        (made.trees[kind].describe(), made.trees[kind].open(shown[kind])) for kind in KINDS if kind in shown
    ]
    return make_reveal(made.commitment, trees, times_of(shown.get("frames", []))).to_bytes()


def times_of(stretches: list[Stretch]) -> list[int]:
    return [at * FRAME_US for first, end in stretches for at in range(first, end)]


def part_of(**shown: list[Stretch]) -> dict[str, list[bytes]]:
    return {kind: [p for first, end in at for p in pieces()[kind][first:end]] for kind, at in shown.items()}


def refusal(package: bytes, part: dict[str, list[bytes]], root: bytes | None = None) -> PiecesError:
    with pytest.raises(PiecesError) as caught:
        verify_reveal(package, committed().root if root is None else root, part)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_every_stretch_verifies(kind: str) -> None:
    size = len(pieces()[kind])
    for first in range(size):
        for end in {first + 1, (first + 1 + size) // 2, size} - {first}:
            shown = {kind: [(first, end)]}
            package = verify_reveal(package_of(**shown), committed().root, part_of(**shown))
            assert package.trees[0][1].stretches == ((first, end),)


def test_several_stretches_of_several_trees_in_one_package() -> None:
    shown: dict[str, list[Stretch]] = {
        "bytes": [(0, 1), (15, 16)],
        "frames": [(2, 5), (10, 11)],
        "audio": [(7, 8)],
    }
    raw = package_of(**shown)
    package = verify_reveal(raw, committed().root, part_of(**shown))
    assert [tree.kind for tree, _ in package.trees] == list(shown)
    assert package.to_bytes() == raw


@pytest.mark.parametrize("kind", KINDS)
def test_who_holds_a_package_cannot_confirm_a_guess_of_the_rest(kind: str) -> None:
    """The attacker has the right guess of every hidden piece, and all that the package gives and leads to."""
    everything = pieces()[kind]
    middle = len(everything) // 2
    stretch = (middle - 1, middle + 1)
    opening = verify_reveal(
        package_of(**{kind: [stretch]}), committed().root, part_of(**{kind: [stretch]})
    ).trees[0][1]
    known = {*opening.seeds, *opening.shown, *opening.hidden, bytes(32), committed().root}
    for seed in opening.seeds:
        known |= {salt_of(seed), *leaf_seeds(seed, 1), *leaf_seeds(seed, 2)}
    known |= set(opening.salts())
    known |= {salt_of(salt) for salt in known}
    guesses = [piece for at, piece in enumerate(everything) if at not in range(*stretch)]
    confirmed = set(opening.hidden)
    for salt in known:
        row = [piece_hash(kind, salt, guess) for guess in guesses]
        assert not confirmed.intersection(row)
        assert not confirmed.intersection(node_hash(a, b) for a, b in pairwise(row))

    # The test can fail: with the salts of the rest, which no package has, the same guesses are confirmed.
    whole = committed().trees[kind].open([(0, len(everything))])
    salts = list(whole.salts())
    leaves = [piece_hash(kind, salt, piece) for salt, piece in zip(salts, everything, strict=True)]
    assert leaves == list(whole.shown)
    assert not known.intersection(salts[: stretch[0]] + salts[stretch[1] :])


def test_alike_pieces_do_not_look_alike() -> None:
    tree = PieceTree(bytes(32), "audio", (480, 48_000, 2, 2))
    for _ in range(8):
        tree.add(bytes(1920))
    assert len(set(tree.open([(0, 8)]).shown)) == 8


def test_a_package_tells_of_no_tree_that_it_does_not_show() -> None:
    """With sound or without, the package about frames has the same form, and no number of the others."""
    made = committed()
    frames = made.trees["frames"]
    silent = Commitment(noise("other", 32), {"frames": frames.describe()})
    with_sound = package_of(frames=[(2, 4)])
    without = make_reveal(silent, [(frames.describe(), frames.open([(2, 4)]))], times_of([(2, 4)])).to_bytes()
    assert len(without) == len(with_sound)
    assert b"audio" not in with_sound
    assert made.trees["audio"].describe().root.hex().encode() not in with_sound
    assert made.trees["audio"].describe().root not in with_sound


@pytest.mark.parametrize("at", [2, 3, 4])
def test_one_changed_bit_is_found_and_located(at: int) -> None:
    part = part_of(frames=[(2, 5)])
    frame = bytearray(part["frames"][at - 2])
    frame[-1] ^= 1
    part["frames"][at - 2] = bytes(frame)
    error = refusal(package_of(frames=[(2, 5)]), part)
    assert error.code == "pieces_differ"
    assert str(error) == f"piece {at} of the tree of frames is not the original's"


def test_a_frame_at_another_time_is_another_frame() -> None:
    part = part_of(frames=[(2, 5)])
    part["frames"][1] = (7).to_bytes(8, "big") + part["frames"][1][8:]
    assert refusal(package_of(frames=[(2, 5)]), part).code == "pieces_differ"


def test_a_package_cannot_say_another_time_than_was_committed_to() -> None:
    raw = package_of(frames=[(2, 5)])
    moved = raw[:-8] + (4 * FRAME_US + 1).to_bytes(8, "big")
    part = part_of(frames=[(2, 5)])
    assert refusal(moved, part).code == "pieces_differ"
    part["frames"][2] = moved[-8:] + part["frames"][2][8:]
    assert refusal(moved, part).code == "pieces_differ"
    assert refusal(raw[:-8] + bytes([255] * 8), part).code == "pieces_malformed"


LIES = {
    "a frame is left out": (lambda part: part["frames"].pop(), "pieces_missing"),
    "a frame is added": (lambda part: part["frames"].append(b""), "pieces_missing"),
    "two frames are swapped": (lambda part: part["frames"].reverse(), "pieces_differ"),
    "a tree is left out": (lambda part: part.pop("audio"), "pieces_missing"),
    "a tree is added": (lambda part: part.update(bytes=[]), "pieces_missing"),
    "sound is given as frames": (lambda part: part.update(frames=part["audio"]), "pieces_differ"),
}


@pytest.mark.parametrize("name", LIES)
def test_other_pieces_than_were_shown(name: str) -> None:
    lie, code = LIES[name]
    part = part_of(frames=[(2, 5)], audio=[(0, 3)])
    lie(part)
    assert refusal(package_of(frames=[(2, 5)], audio=[(0, 3)]), part).code == code


def test_the_package_of_another_original_is_refused() -> None:
    part = part_of(frames=[(2, 5)])
    other = committed(noise("other", 32)).root
    assert refusal(package_of(frames=[(2, 5)]), part, other).code == "pieces_not_committed"


def test_a_package_cannot_bring_its_own_tree() -> None:
    """An own film under an own secret, described in place of the one that was committed to."""
    raw = package_of(frames=[(2, 5)])
    head, end = json.loads(raw[len(MAGIC) :].split(b"\n")[0]), raw.index(b"\n", len(MAGIC)) + 1
    other = committed(noise("other", 32)).trees["frames"]
    top = raw[end : end + 32 * 4]
    head["trees"][0]["tree"] = other.describe().to_object()
    opened = other.open([(2, 5)]).to_bytes()
    forged = MAGIC + canonical.dumps(head) + b"\n" + top + opened + raw[-3 * 8 :]
    assert len(forged) == len(raw)
    assert refusal(forged, part_of(frames=[(2, 5)])).code == "pieces_not_committed"


def test_moving_a_stretch_is_no_other_reading_of_the_same_rows() -> None:
    """Frames 0 and 1 have as many seeds and hashes: who says so is told that they are not."""
    raw = package_of(frames=[(0, 1)])
    moved = raw.replace(b'"shown":[[0,1]]', b'"shown":[[1,2]]')
    assert moved != raw
    assert refusal(moved, part_of(frames=[(0, 1)])).code in {"pieces_not_committed", "pieces_malformed"}


def test_every_byte_of_a_package_counts() -> None:
    raw, part = package_of(frames=[(2, 5)], audio=[(7, 8)]), part_of(frames=[(2, 5)], audio=[(7, 8)])
    codes = {refusal(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :], part).code for at in range(len(raw))}
    assert codes == {"pieces_malformed", "pieces_no_such_part", "pieces_not_committed", "pieces_differ"} | (
        codes & {"pieces_missing"}
    )
    for length in range(0, len(raw), 7):
        assert refusal(raw[:length], part).code in {"pieces_malformed", "pieces_no_such_part"}


def head_with(**fields: object) -> bytes:
    tree = committed().trees["frames"].describe().to_object()
    return MAGIC + canonical.dumps({"trees": [{"shown": [[2, 5]], "tree": tree} | fields]}) + b"\n"


MALFORMED = {
    "nothing": b"",
    "another format": b"bauta.reveal/v2\n{}\n",
    "no second line": MAGIC + b"{" * (1 << 17),
    "not canonical": MAGIC + b'{"trees": []}\n',
    "no trees": MAGIC + b'{"trees":[]}\n',
    "trees are none": MAGIC + b'{"trees":7}\n',
    "a field too many": MAGIC + b'{"more":1,"trees":[]}\n',
    "tree of tiles": MAGIC
    + canonical.dumps({"trees": [{"shown": [[0, 1]], "tree": committed().tiles.describe().to_object()}]})
    + b"\n"
    + bytes(32 * 8),
    "no stretches": head_with(shown=[]),
    "too many stretches": head_with(shown=[[2 * at, 2 * at + 1] for at in range(MAX_STRETCHES + 1)]),
    "a stretch of one": head_with(shown=[[2]]),
    "a stretch of truths": head_with(shown=[[False, True]]),
    "a stretch that is none": head_with(shown=["25"]),
    "no kind": head_with(tree={}),
    "kind is a list": head_with(tree={"kind": []}),
    "all of four milliards": head_with(
        shown=[[0, 2**32]], tree=committed().trees["frames"].describe().to_object() | {"size": 2**32}
    ),
    "root in capitals": head_with(
        tree=committed().trees["frames"].describe().to_object() | {"root": "AB" * 32}
    ),
    "root with spaces": head_with(
        tree=committed().trees["frames"].describe().to_object() | {"root": "ab " * 21 + "a"}
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(name: str) -> None:
    assert refusal(MALFORMED[name], part_of(frames=[(2, 5)])).code == "pieces_malformed"


def test_a_package_has_an_end() -> None:
    assert refusal(package_of(frames=[(2, 5)]) + b"\x00", part_of(frames=[(2, 5)])).code == "pieces_malformed"
    assert refusal(bytes(MAX_REVEAL_BYTES + 1), {}).code == "pieces_too_large"


def test_trees_stand_in_their_order_and_each_once() -> None:
    made = committed()
    frames, audio = ((made.trees[k].describe(), made.trees[k].open([(0, 1)])) for k in ("frames", "audio"))
    for trees in [(), (audio, frames), (frames, frames)]:
        with pytest.raises(PiecesError):
            make_reveal(made.commitment, trees)


def test_a_tree_that_was_not_committed_to_is_not_shown() -> None:
    other = committed(noise("other", 32)).trees["frames"]
    with pytest.raises(PiecesError) as caught:
        make_reveal(committed().commitment, [(other.describe(), other.open([(0, 1)]))])
    assert caught.value.code == "pieces_not_committed"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "film"},
        {"size": -1},
        {"size": 2**32 + 1},
        {"size": 0},
        {"root": b"short"},
        {"shape": (1, 2)},
        {"shape": (-1,)},
        {"shape": (1 << 25,)},
    ],
)
def test_descriptions_are_strict(change: dict[str, object]) -> None:
    fields = {"kind": "bytes", "size": 3, "root": bytes(32), "shape": (100,)} | change
    with pytest.raises(PiecesError):
        TreeDescription(**fields)  # type: ignore[arg-type]  # wrong on purpose


def test_a_kind_without_pieces_has_a_leaf_as_any_other() -> None:
    made = Commitment(bytes(32), {})
    assert all(tree.size == 0 and tree.root == EMPTY_ROOT for tree in made.descriptions.values())
    assert len(made.root) == 32
    assert made.root != Commitment(noise("other", 32), {}).root
    assert TREE_LEVELS == 32


@pytest.mark.parametrize(
    ("kind", "shape", "lengths", "holds"),
    [
        ("bytes", (100,), [100, 100, 7], True),
        ("bytes", (100,), [100, 100, 100], True),
        ("bytes", (100,), [100, 7, 100], False),
        ("bytes", (100,), [100, 100, 101], False),
        ("bytes", (100,), [100, 100, 0], False),
        ("audio", (480, 48_000, 2, 2), [1920, 1920, 4], True),
        ("audio", (480, 48_000, 2, 2), [1920, 960, 1920], False),
        ("frames", (6, 4, 3, 2, 2), [80, 80, 80], True),
        ("frames", (6, 4, 3, 2, 2), [80, 80, 79], False),
    ],
)
def test_who_commits_cannot_cut_otherwise_than_described(
    kind: str, shape: tuple[int, ...], lengths: list[int], holds: bool
) -> None:
    tree = PieceTree(bytes(32), kind, shape)
    cut = [(bytes(1) + noise(str(at), length))[:length] for at, length in enumerate(lengths)]
    for piece in cut:
        tree.add(piece)
    commitment = Commitment(bytes(32), {kind: tree.describe()})
    times = [int.from_bytes(piece[:8], "big") for piece in cut] if kind == "frames" else []
    package = make_reveal(commitment, [(tree.describe(), tree.open([(0, 3)]))], times).to_bytes()
    if holds:
        verify_reveal(package, commitment.root, {kind: cut})
    else:
        assert refusal(package, {kind: cut}, commitment.root).code == "pieces_malformed"
