"""Go's checksum-database code (golang.org/x/mod/sumdb) reads our log from its static files, as a stranger.

It opens the signed notes, reads and authenticates the tiles, hashes the entries, and checks inclusion and
consistency; where we refuse, it refuses. Its ML-DSA, for the log's second signature, is the Go library's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from go_peer import Stranger

from provenance.checkpoint import Checkpoint, CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.log import TransparencyLog, static_folder
from provenance.merkle import verify_consistency, verify_inclusion
from provenance.note import VerifierKey
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from tests.unit.provenance.provenance_makers import ORIGIN, House, TestLogKeys, TestSigner, seed
from tests.unit.provenance.witness_makers import TestWitness, cosigned

KEYS = TestLogKeys()
STRANGERS_KEYS = TestLogKeys(name="stranger")
# Around a full tile and past two of them; the last checkpoint has partial tiles on two levels.
CHECKPOINTS = (1, 2, 255, 256, 257, 511, 700)


@dataclass(frozen=True)
class PublishedLog:
    """What the log's own process leaves behind.

    Attributes:
        folder: the static files.
        notes: every signed checkpoint that was ever published.
        proof: a proof file for a job.
    """

    folder: Path
    notes: tuple[bytes, ...]
    proof: bytes

    @property
    def head(self) -> Checkpoint:
        """The newest checkpoint, as we read it."""
        return verify_checkpoint(self.notes[-1], ORIGIN, KEYS.verifier_keys)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> PublishedLog:
    path = tmp_path_factory.mktemp("log") / "log.sqlite"
    notes = []
    with TransparencyLog(path, ORIGIN, KEYS.sign_checkpoint) as log:
        done = 0
        for size in CHECKPOINTS:
            log.append_all(("failure", seed(str(number))) for number in range(done, size))
            notes.append(log.latest_checkpoint())
            done = size
        proof = House(log, KEYS, TestSigner("node")).prove_job()
        notes.append(log.latest_checkpoint())
    return PublishedLog(static_folder(path), tuple(notes), proof)


def identities(keys: tuple[VerifierKey, ...]) -> list[str]:
    return [f"{key.name}+{key.key_id.hex()}" for key in keys]


def test_it_audits_the_whole_log_from_the_static_files_alone(
    stranger: Stranger, published: PublishedLog
) -> None:
    found = stranger.ask("audit_folder", folder=str(published.folder), vkeys=KEYS.vkeys)
    assert found.error == ""
    assert sorted(found.names) == sorted(identities(KEYS.verifier_keys))
    assert (found.origin, found.size) == (ORIGIN, CHECKPOINTS[-1] + 1)
    assert found.root == published.head.root
    statement = ProofFile.from_bytes(published.proof).statement
    expected = [Entry("failure", seed(str(number))) for number in range(CHECKPOINTS[-1])]
    expected.append(Entry("job", statement.digest))
    assert found.entries == [entry.to_bytes() for entry in expected]


def test_each_key_opens_each_note_alone(stranger: Stranger, published: PublishedLog) -> None:
    for note in published.notes:
        ours = verify_checkpoint(note, ORIGIN, KEYS.verifier_keys)
        for vkey, name in zip(KEYS.vkeys, identities(KEYS.verifier_keys), strict=True):
            opened = stranger.ask("open_note", note=note, vkeys=[vkey])
            assert (opened.error, opened.names) == ("", (name,))
            assert (opened.origin, opened.size, opened.root) == (ORIGIN, ours.size, ours.root)


def test_every_checkpoint_continues_every_one_before_it(stranger: Stranger, published: PublishedLog) -> None:
    """By the stranger's own proofs, made out of our tiles."""
    heads = [verify_checkpoint(note, ORIGIN, KEYS.verifier_keys) for note in published.notes]
    assert [head.size for head in heads] == [*CHECKPOINTS, CHECKPOINTS[-1] + 1]
    newest = heads[-1]
    for old in heads[:-1]:
        about = {"size": newest.size, "root": newest.root, "old_size": old.size, "old_root": old.root}
        proved = stranger.ask("consistency_folder", folder=str(published.folder), **about)
        assert proved.error == ""
        verify_consistency(old.size, newest.size, proved.proof, old.root, newest.root)
        forked = {**about, "old_root": seed("a fork")}
        assert stranger.ask("consistency_folder", folder=str(published.folder), **forked).error


def test_it_accepts_the_log_part_of_a_jobs_proof_file(stranger: Stranger, published: PublishedLog) -> None:
    proof = ProofFile.from_bytes(published.proof)
    place = TlogProof.parse(proof.log)
    opened = stranger.ask("open_note", note=place.checkpoint, vkeys=KEYS.vkeys)
    assert (opened.error, len(opened.names)) == ("", 2)
    checked = stranger.ask(
        "check_inclusion",
        index=place.index,
        size=opened.size,
        root=opened.root,
        leaf=Entry("job", proof.statement.digest).leaf,
        proof=place.hashes,
    )
    assert checked.error == ""


@dataclass(frozen=True)
class Place:
    """A claim of inclusion."""

    index: int
    size: int
    leaf: bytes
    proof: tuple[bytes, ...]
    root: bytes


def test_it_checks_the_cosignatures_of_witnesses(stranger: Stranger, published: PublishedLog) -> None:
    witnesses = [TestWitness("witness.test/a"), TestWitness("witness.test/b")]
    note = cosigned(published.notes[-1], witnesses)
    keys = [*KEYS.verifier_keys, *(key for witness in witnesses for key in witness.keys)]
    together = stranger.ask("open_note", note=note, vkeys=[key.to_text() for key in keys])
    assert (together.error, len(together.names)) == ("", 6)
    earlier = cosigned(published.notes[0], witnesses)
    transplanted = note.partition(b"\n\n")[0] + b"\n\n" + earlier.partition(b"\n\n")[2]
    for key in keys:
        assert stranger.ask("open_note", note=note, vkeys=[key.to_text()]).names == tuple(identities((key,)))
        assert stranger.ask("open_note", note=transplanted, vkeys=[key.to_text()]).error


REFUSED_PLACES: dict[str, Callable[[Place], Place]] = {
    "another root": lambda at: Place(at.index, at.size, at.leaf, at.proof, seed("root")),
    "another leaf": lambda at: Place(at.index, at.size, seed("leaf"), at.proof, at.root),
    "the next index": lambda at: Place(at.index + 1, at.size, at.leaf, at.proof, at.root),
    "an index beyond the tree": lambda at: Place(at.size, at.size, at.leaf, at.proof, at.root),
    "another size": lambda at: Place(at.index, at.size - 200, at.leaf, at.proof, at.root),
    "a truncated path": lambda at: Place(at.index, at.size, at.leaf, at.proof[:-1], at.root),
    "a path without its beginning": lambda at: Place(at.index, at.size, at.leaf, at.proof[1:], at.root),
    "a path with one hash more": lambda at: Place(
        at.index, at.size, at.leaf, (*at.proof, at.proof[-1]), at.root
    ),
    "a path in reverse": lambda at: Place(at.index, at.size, at.leaf, at.proof[::-1], at.root),
    "an empty path": lambda at: Place(at.index, at.size, at.leaf, (), at.root),
    "one flipped bit": lambda at: Place(
        at.index,
        at.size,
        at.leaf,
        (bytes([at.proof[0][0] ^ 1]) + at.proof[0][1:], *at.proof[1:]),
        at.root,
    ),
}


def place_of(stranger: Stranger, place: Place) -> tuple[bool, bool]:
    """Whether we and the stranger accept a claim."""
    theirs = stranger.ask("check_inclusion", **place.__dict__).error == ""
    try:
        verify_inclusion(place.leaf, place.index, place.size, place.proof, place.root)
    except ProvenanceError:
        return False, theirs
    return True, theirs


@pytest.mark.parametrize("defect", REFUSED_PLACES)
def test_both_refuse_a_false_place(stranger: Stranger, published: PublishedLog, defect: str) -> None:
    proof = ProofFile.from_bytes(published.proof)
    path = TlogProof.parse(proof.log)
    head = published.head
    leaf = Entry("job", proof.statement.digest).leaf
    sound = Place(path.index, head.size, leaf, path.hashes, head.root)
    assert len(sound.proof) > 2
    assert place_of(stranger, sound) == (True, True)
    assert place_of(stranger, REFUSED_PLACES[defect](sound)) == (False, False)


def note_defects(note: bytes) -> dict[str, bytes]:
    """Notes that neither may open."""
    text, _, lines = note.decode().partition("\n\n")
    size = CheckpointText.parse(text.encode() + b"\n").size
    return {
        "another size": note.replace(f"\n{size}\n".encode(), f"\n{size + 1}\n".encode()),
        "another origin": note.replace(ORIGIN.encode(), b"other.test/log"),
        "a line more in the text": f"{text}\nextension\n\n{lines}".encode(),
        "no signatures": f"{text}\n\n".encode(),
        "no empty line": f"{text}\n{lines}".encode(),
        "cut short": note[:-30],
        "a signature of another checkpoint": f"{text}\n\n".encode()
        + KEYS.sign_checkpoint(CheckpointText(ORIGIN, size, seed("x")).to_bytes()).partition(b"\n\n")[2],
        "a control character": note.replace(b"\n\n", b"\x07\n\n"),
    }


def test_both_refuse_a_false_note(stranger: Stranger, published: PublishedLog) -> None:
    note = published.notes[-1]
    defects = note_defects(note)
    assert len(defects) == len(set(defects.values())) == 8
    for name, false in defects.items():
        assert false != note, name
        with pytest.raises(ProvenanceError):
            verify_checkpoint(false, ORIGIN, KEYS.verifier_keys)
        for vkey in KEYS.vkeys:
            assert stranger.ask("open_note", note=false, vkeys=[vkey]).error, name


def test_both_refuse_another_logs_keys(stranger: Stranger, published: PublishedLog) -> None:
    note = published.notes[-1]
    with pytest.raises(ProvenanceError):
        verify_checkpoint(note, ORIGIN, STRANGERS_KEYS.verifier_keys)
    for vkey in STRANGERS_KEYS.vkeys:
        assert stranger.ask("open_note", note=note, vkeys=[vkey]).error
    assert stranger.ask("open_note", note=note, vkeys=KEYS.vkeys).error == ""


@pytest.mark.parametrize("damaged", ["tile/0/000", "tile/0/002.p/189", "tile/1/000.p/2", "tile/entries/001"])
def test_it_refuses_a_damaged_static_file(
    stranger: Stranger, published: PublishedLog, tmp_path: Path, damaged: str
) -> None:
    shutil.copytree(published.folder, tmp_path / "log")
    place = tmp_path / "log" / damaged
    content = bytearray(place.read_bytes())
    content[-1] ^= 1
    place.write_bytes(content)
    assert stranger.ask("audit_folder", folder=str(tmp_path / "log"), vkeys=KEYS.vkeys).error
    place.unlink()
    assert stranger.ask("audit_folder", folder=str(tmp_path / "log"), vkeys=KEYS.vkeys).error
