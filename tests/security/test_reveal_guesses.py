"""Who was shown a part, and knows the rest of the original by heart, cannot confirm that it is the rest.

The attacker holds everything that a reader gets (part, package, proof, trust file), and the very original,
every hidden piece of it cut exactly as it was committed to. What is lacking is one secret of 32 bytes.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from evaluation.pieces.decoding import decoded
from evaluation.pieces.records import Frame, Sound
from provenance.merkle import node_hash
from provenance.pieces.committing import frame_piece
from provenance.pieces.cutting import BLOCK_BYTES, blocks_of
from provenance.pieces.hashing import piece_hash
from provenance.pieces.opening import Opening
from provenance.pieces.original import BLOCK_SAMPLES
from provenance.pieces.reveal import RevealPackage
from provenance.pieces.secrets import secret_of_upload
from provenance.pieces.seeds import TREE_LEVELS, leaf_seeds, salt_of, tree_seed
from tests.pieces_world import SALT, World, film, world


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("guesses")
    made = world(folder, film(folder / "film.mp4", 4))
    assert made.reveal(folder / "part.mkv", "1", "2") == 0
    return made


@pytest.fixture(scope="module")
def package(handed_in: World) -> RevealPackage:
    return RevealPackage.from_bytes((handed_in.folder / "part.mkv.reveal").read_bytes())


def everything(original: Path) -> dict[str, list[bytes]]:
    """Every piece of the original, as whoever has it cuts it."""
    frames, sound, sound_bytes = [], b"", 0
    with decoded(original) as records:
        for record in records:
            if isinstance(record, Frame):
                frames.append(frame_piece(record.time_us, record.planes))
            elif isinstance(record, Sound):
                sound += record.samples
                sound_bytes = BLOCK_SAMPLES * record.numbers[1] * record.numbers[2]
    return {
        "bytes": list(blocks_of([original.read_bytes()], BLOCK_BYTES)),
        "frames": frames,
        "audio": list(blocks_of([sound], sound_bytes)),
    }


def known_to_the_attacker(package: RevealPackage) -> set[bytes]:
    """Everything of a salt's length that a package holds or leads to."""
    openings = [package.top, *(opening for _, opening in package.trees)]
    known = {bytes(32), bytes.fromhex("ff" * 32)}
    for opening in openings:
        known |= {*opening.seeds, *opening.shown, *opening.hidden, *opening.salts()}
        for seed in opening.seeds:
            known |= {*leaf_seeds(seed, 1), *leaf_seeds(seed, 2)}
    return known | {salt_of(each) for each in known}


def hidden_in(package: RevealPackage) -> set[bytes]:
    """What a guess would have to lead to."""
    openings: list[Opening] = [package.top, *(opening for _, opening in package.trees)]
    return {row for opening in openings for row in opening.hidden}


def test_the_rest_cannot_be_confirmed_by_who_knows_it(handed_in: World, package: RevealPackage) -> None:
    pieces, known = everything(handed_in.original), known_to_the_attacker(package)
    hidden = hidden_in(package)
    assert hidden
    stretches = {tree.kind: opening.stretches[0] for tree, opening in package.trees}
    # Every kind of place at which a guess can stand: beside the shown stretch, at both ends, in between.
    for kind, all_of_it in pieces.items():
        first, end = stretches.get(kind, (0, 0))
        at = {0, 1, len(all_of_it) - 2, len(all_of_it) - 1, first - 2, first - 1, end, end + 1}
        guesses = [all_of_it[i] for i in sorted(at) if 0 <= i < len(all_of_it) and not first <= i < end]
        assert guesses
        for salt in known:
            row = [piece_hash(kind, salt, guess) for guess in guesses]
            assert not hidden.intersection(row)
            assert not hidden.intersection(node_hash(a, b) for a, b in pairwise(row))


def test_no_salt_of_a_hidden_piece_follows_from_what_is_shown(
    handed_in: World, package: RevealPackage
) -> None:
    """With the secret, which no reader gets, the same guesses are confirmed: the attack above can work."""
    known, pieces = known_to_the_attacker(package), everything(handed_in.original)
    secret = secret_of_upload(SALT)
    for tree, opening in package.trees:
        first, end = opening.stretches[0]
        seeds = leaf_seeds(tree_seed(secret, tree.kind), TREE_LEVELS)
        salts = [salt_of(next(seeds)) for _ in range(tree.size)]
        assert set(salts[first:end]) <= known
        assert not known.intersection(salts[:first] + salts[end:])
        assert not known.intersection({secret, SALT, tree_seed(secret, tree.kind)})
        for file in ("part.mkv", "part.mkv.reveal", "part.mkv.proof"):
            content = (handed_in.folder / file).read_bytes()
            assert not any(salt in content for salt in (secret, SALT, *salts[:first], *salts[end:]))
        leaves = [piece_hash(tree.kind, *each) for each in zip(salts, pieces[tree.kind], strict=True)]
        assert tuple(leaves[first:end]) == opening.shown
        beside = [node_hash(a, b) for a, b in zip(leaves[::2], leaves[1::2], strict=False)]
        assert hidden_in(package).intersection([*leaves, *beside])


def test_no_file_of_a_part_tells_the_length_of_the_file_or_whether_there_was_sound(
    handed_in: World, tmp_path: Path
) -> None:
    target = tmp_path / "silent.mkv"
    assert handed_in.reveal(target, "1", "1.2", no_sound=True) == 0
    shown = target.with_name("silent.mkv.reveal").read_bytes()
    for word in (b"audio", b"block", b"samples_per", str(handed_in.original.stat().st_size).encode()):
        assert word not in shown
    proof = target.with_name("silent.mkv.proof").read_bytes()
    assert str(handed_in.original.stat().st_size).encode() not in proof
