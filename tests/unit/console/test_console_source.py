"""`bauta source` and `bauta token`: what is shown once, to one verifier, and what nobody can show."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from console import output
from console.main import app
from console.source_options import submission_key_for, token_for
from grpc_api.errors import ServiceError
from keyvault import key_file
from keyvault.age import PassphraseRecipient
from keyvault.errors import KeyvaultError
from keyvault.submitter.key_files import read_source, write_source
from keyvault.submitter.papers import reply_from_bytes, reply_to_bytes
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.submission_key import SubmissionKey, scope_of
from provenance.errors import ProvenanceError
from tests.unit.keyvault.submitter.submitter_makers import ALICE, BOB
from tests.unit.provenance.provenance_makers import House, make_house

PASSPHRASE = "a passphrase\n"


@dataclass
class Desk:
    """A folder with everything in it, and the command line."""

    folder: Path
    house: House
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def submitted(self, name: str, secret: SubmitterSecret | None) -> Path:
        """A job's proof; with a key of somebody's, or as an old client made it."""
        key = SubmissionKey.draw(secret) if secret is not None else None
        named = {"submitter_key": key.key, "submitter_number": key.number} if key is not None else {}
        path = self.folder / f"{name}.proof"
        path.write_bytes(self.house.prove_job(name, **named))
        return path

    def run(self, *words: object) -> tuple[int, dict[str, Any]]:
        """One command, with a passphrase on its standard input."""
        self.monkeypatch.setattr(output.MODE, "as_json", False)
        self.monkeypatch.setattr("sys.stdin", io.StringIO(PASSPHRASE))
        code = app([*map(str, words), "--json"], standalone_mode=False)
        return code, json.loads(self.capsys.readouterr().out)

    def refused(self, *words: object) -> str:
        """The code with which a command ends."""
        with pytest.raises((ServiceError, KeyvaultError, ProvenanceError)) as refused:
            self.run(*words)
        return refused.value.code

    def challenge(self, name: str = "challenge", verifier: str = "portal.example") -> Path:
        """A fresh one."""
        self.run("source", "challenge", "--verifier", verifier, "-o", self.folder / name)
        return self.folder / name

    def answer(self, challenge: Path, *proofs: Path, who: str = "alice", message: Path | None = None) -> Path:
        """A source's answer."""
        words = ["source", "prove", *proofs, "--source", self.folder / who, "--challenge", challenge]
        self.run(*words, *_message(message), "-o", self.folder / "answer")
        return self.folder / "answer"

    def checking(
        self, challenge: Path, answer: Path, *proofs: Path, message: Path | None = None
    ) -> list[object]:
        """The words of a check."""
        words: list[object] = ["source", "check", *proofs, "--challenge", challenge, "--answer", answer]
        return [*words, *_message(message), "--record", self.folder / "record", "--trust", self.trust]

    @property
    def trust(self) -> Path:
        """The trust file."""
        return self.folder / "trust.json"


def _message(path: Path | None) -> list[object]:
    return [] if path is None else ["--message", path]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture
def desk(
    house: House,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    # The same files with a small work factor: a passphrase is meant to take a second and 256 MiB.
    monkeypatch.setattr(key_file, "PassphraseRecipient", partial(PassphraseRecipient, work_factor=4))
    made = Desk(tmp_path, house, capsys, monkeypatch)
    for name, secret in (("alice", ALICE), ("bob", BOB)):
        write_source(tmp_path / name, secret, PASSPHRASE.rstrip("\n"))
    made.trust.write_bytes(house.trust.to_bytes())
    made.run("source", "record", tmp_path / "record")
    return made


def test_two_submissions_are_shown_to_be_of_one_source_once(desk: Desk) -> None:
    first, second = desk.submitted("first", ALICE), desk.submitted("second", ALICE)
    challenge = desk.challenge()
    answer = desk.answer(challenge, first, second)
    checking = desk.checking(challenge, answer, second, first)
    code, told = desk.run(*checking)
    assert (code, told["shown"], told["one_source"]) == (0, True, True)
    assert len({one["number"] for one in told["submissions"]}) == 2
    assert "one source" in told["says"]
    assert "portal.example" in told["says"]
    assert any("who that is" in line for line in told["says_not"])
    assert desk.refused(*checking) == "proof_used"


def test_a_message_comes_from_the_source_of_a_submission(desk: Desk) -> None:
    first, message = desk.submitted("first", ALICE), desk.folder / "message.txt"
    message.write_bytes(b"Meet me on Tuesday.")
    challenge = desk.challenge()
    answer = desk.answer(challenge, first, message=message)
    assert desk.refused(*desk.checking(challenge, answer, first)) == "proof_false"
    message.write_bytes(b"Meet me on Monday.")
    assert desk.refused(*desk.checking(challenge, answer, first, message=message)) == "proof_false"
    message.write_bytes(b"Meet me on Tuesday.")
    code, told = desk.run(*desk.checking(challenge, answer, first, message=message))
    assert (code, told["one_source"], len(told["submissions"])) == (0, False, 1)
    assert told["message_sha256"] is not None
    assert any("wrote the message" in line for line in told["says_not"])


def test_nobody_answers_for_what_is_not_their_own(desk: Desk) -> None:
    mine, theirs = desk.submitted("mine", ALICE), desk.submitted("theirs", BOB)
    challenge = desk.challenge()
    words = ["source", "prove", mine, theirs, "--source", desk.folder / "alice", "--challenge", challenge]
    assert desk.refused(*words, "-o", desk.folder / "answer") == "statement_invalid"
    assert not (desk.folder / "answer").exists()


def of_others(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    return desk.checking(challenge, desk.answer(challenge, mine, second), mine, theirs), "proof_false"


def of_fewer(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    return desk.checking(challenge, desk.answer(challenge, mine, second), mine), "proof_invalid"


def of_more(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    return desk.checking(challenge, desk.answer(challenge, mine), mine, second), "proof_invalid"


def to_another_challenge(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    answer = desk.answer(desk.challenge(), mine, second)
    return desk.checking(desk.challenge("later"), answer, mine, second), "challenge_differs"


def of_another_verifier(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    """A portal hands on a challenge of its own under another portal's name: the source reads that name."""
    challenge = desk.challenge()
    answer = desk.answer(challenge, mine, second)
    challenge.write_bytes(challenge.read_bytes().replace(b"portal.example", b"police.example"))
    return desk.checking(challenge, answer, mine, second), "proof_false"


def on_no_record(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    checking = desk.checking(challenge, desk.answer(challenge, mine, second), mine, second)
    (desk.folder / "record").unlink()
    return checking, "spent_store_invalid"


def of_one_named_twice(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    return desk.checking(challenge, desk.answer(challenge, mine, second), mine, mine), "submissions_invalid"


def of_one_without_a_key(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    challenge = desk.challenge()
    answer = desk.answer(challenge, mine, second)
    return desk.checking(challenge, answer, mine, desk.submitted("old", None)), "source_not_named"


def under_another_log(desk: Desk, mine: Path, second: Path, theirs: Path) -> tuple[list[object], str]:
    """The keys stand in statements that a service on record signed; nobody takes them from elsewhere."""
    other = desk.folder / "other"
    other.mkdir()
    stranger = make_house(other, origin="stranger.test/log", name="stranger")
    desk.trust.write_bytes(stranger.trust.to_bytes())
    stranger.log.close()
    challenge = desk.challenge()
    checking = desk.checking(challenge, desk.answer(challenge, mine, second), mine, second)
    return checking, "wrong_log"


ATTACKS: list[Callable[[Desk, Path, Path, Path], tuple[list[object], str]]] = [
    of_others,
    of_fewer,
    of_more,
    to_another_challenge,
    of_another_verifier,
    on_no_record,
    of_one_named_twice,
    of_one_without_a_key,
    under_another_log,
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_answer_shows_what_it_was_made_for_and_nothing_else(
    attack: Callable[[Desk, Path, Path, Path], tuple[list[object], str]], desk: Desk
) -> None:
    mine, second = desk.submitted("mine", ALICE), desk.submitted("second", ALICE)
    words, code = attack(desk, mine, second, desk.submitted("theirs", BOB))
    assert desk.refused(*words) == code


def test_secrets_are_never_overwritten(desk: Desk) -> None:
    for words in (
        ("source", "init", "-o", desk.folder / "alice"),
        ("source", "challenge", "--verifier", "portal.example", "-o", desk.folder / "alice"),
        ("token", "init", "-o", desk.folder / "issuer", "--public", desk.folder / "alice"),
        ("token", "request", desk.trust, "-o", desk.folder / "asked", "--keep", desk.folder / "alice"),
    ):
        with pytest.raises(typer.BadParameter):
            desk.run(*words)
    with pytest.raises(KeyvaultError):
        desk.run("source", "record", desk.folder / "alice")
    assert read_source(desk.folder / "alice", lambda: PASSPHRASE.rstrip("\n")) == ALICE


def test_a_submission_carries_the_sources_key_or_nobodys(desk: Desk) -> None:
    desk.monkeypatch.setattr("sys.stdin", io.StringIO(PASSPHRASE))
    drawn = submission_key_for(desk.folder / "alice")
    assert ALICE.pseudonym(scope_of(drawn.number)).key == drawn.key
    nobodys = submission_key_for(None)
    assert ALICE.pseudonym(scope_of(nobodys.number)).key != nobodys.key


def test_a_token_from_the_first_command_to_the_last(desk: Desk) -> None:
    at = desk.folder
    _, made = desk.run("token", "init", "-o", at / "issuer", "--public", at / "issuer.pem")
    _, asked = desk.run("token", "request", at / "issuer.pem", "-o", at / "asked", "--keep", at / "kept")
    desk.run("token", "issue", at / "issuer", at / "asked", "-o", at / "reply")
    _, done = desk.run("token", "finish", at / "kept", at / "reply", "-o", at / "token")
    assert made["issuer"] == asked["issuer"] == done["issuer"]
    assert desk.run("token", "check", at / "token", at / "issuer.pem")[1]["signed"] is True
    for secret in ("issuer", "kept", "token"):
        assert (at / secret).stat().st_mode & 0o777 == 0o600
    # The issuer never sees any of the token: neither its number nor its signature.
    token, seen = token_for(at / "token"), (at / "asked").read_text() + (at / "reply").read_text()
    assert token[33:65].hex() not in seen
    assert token[65:97].hex() not in seen
    assert token[97:].hex() not in seen
    other = desk.run("token", "init", "-o", at / "issuer-2", "--public", at / "issuer-2.pem")[1]
    assert other["issuer"] != made["issuer"]
    assert desk.refused("token", "check", at / "token", at / "issuer-2.pem") == "token_other_issuer"
    issuing = ("token", "issue", at / "issuer-2", at / "asked", "-o", at / "reply-2")
    assert desk.refused(*issuing) == "token_other_issuer"
    signed = reply_from_bytes((at / "reply").read_bytes())
    (at / "reply").write_bytes(reply_to_bytes(signed[:-1] + bytes([signed[-1] ^ 1])))
    finishing = ("token", "finish", at / "kept", at / "reply", "-o", at / "token-2")
    assert desk.refused(*finishing) == "blind_signature_invalid"
    assert not (at / "token-2").exists()
