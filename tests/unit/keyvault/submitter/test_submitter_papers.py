"""Files and keys of submissions: found again without a table, told apart by nobody, refused unless exact."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyvault import key_file
from keyvault.age import PassphraseRecipient
from keyvault.submitter import key_files, papers
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey, generate_issuer_key
from keyvault.submitter.papers import Answer, BlindRequest, Challenge
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.submission_key import SubmissionKey, scope_of
from keyvault.submitter.tokens import TokenRequest, issue, verify_token
from tests.unit.keyvault.submitter.submitter_makers import ALICE, BOB, issuer, issuer_key, token

NUMBER = "0123456789abcdef" * 2
SMALL_ORDER = bytes([1]) + bytes(31)


def test_a_source_finds_its_key_again_by_the_number_alone() -> None:
    drawn = SubmissionKey.draw(ALICE)
    assert ALICE.pseudonym(scope_of(drawn.number)) == drawn.pseudonym
    assert BOB.pseudonym(scope_of(drawn.number)) != drawn.pseudonym
    assert SubmissionKey.from_object(drawn.to_object()) == drawn


def test_no_two_submissions_have_anything_in_common() -> None:
    drawn = [SubmissionKey.draw(ALICE) for _ in range(20)] + [SubmissionKey.of_nobody() for _ in range(20)]
    assert len({one.number for one in drawn}) == len({one.key for one in drawn}) == 40


def test_nothing_tells_a_key_of_somebody_from_one_of_nobody() -> None:
    """By their form; that they are equally random is what a Pedersen commitment is."""
    shapes = {
        re.sub("[0-9a-f]", "x", json.dumps(one.to_object()))
        for one in (SubmissionKey.draw(ALICE), SubmissionKey.of_nobody())
    }
    assert len(shapes) == 1


def test_a_key_shows_nothing_of_itself_by_accident() -> None:
    drawn = SubmissionKey.draw(ALICE)
    assert drawn.number not in repr(drawn)
    assert drawn.key.hex() not in repr(drawn)


BAD_KEYS: dict[str, tuple[Any, str]] = {
    "a list": ([], "submission_key_invalid"),
    "nothing": (None, "submission_key_invalid"),
    "a key too few": ({"key": "00"}, "submission_key_invalid"),
    "a key too many": ({"key": "", "number": NUMBER, "name": "anna"}, "submission_key_invalid"),
    "a name for a number": ({"key": bytes(32).hex(), "number": "anna"}, "submission_key_invalid"),
    "a number in capitals": ({"key": bytes(32).hex(), "number": NUMBER.upper()}, "submission_key_invalid"),
    "a number with a newline": ({"key": bytes(32).hex(), "number": NUMBER + "\n"}, "submission_key_invalid"),
    "a number that is one": ({"key": bytes(32).hex(), "number": 7}, "submission_key_invalid"),
    "half a key": ({"key": bytes(16).hex(), "number": NUMBER}, "submission_key_invalid"),
    "a key of blanks": ({"key": " " * 64, "number": NUMBER}, "submission_key_invalid"),
    "the neutral element": ({"key": SMALL_ORDER.hex(), "number": NUMBER}, "point_invalid"),
    "no point": ({"key": (b"\x02" + bytes(31)).hex(), "number": NUMBER}, "point_invalid"),
}


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_submission_key_of_another_form_is_refused(name: str) -> None:
    untrusted, code = BAD_KEYS[name]
    with pytest.raises(SubmitterError) as refused:
        SubmissionKey.from_object(untrusted)
    assert refused.value.code == code


def test_papers_come_back_as_they_were() -> None:
    challenge, answer = Challenge("portal.example", bytes(range(32))), Answer(bytes(32), bytes(96))
    asked = BlindRequest(bytes(32), bytes(256))
    assert Challenge.from_bytes(challenge.to_bytes()) == challenge
    assert Answer.from_bytes(answer.to_bytes()) == answer
    assert BlindRequest.from_bytes(asked.to_bytes()) == asked
    assert papers.reply_from_bytes(papers.reply_to_bytes(b"signed")) == b"signed"
    assert papers.token_from_bytes(papers.token_to_bytes(token().to_bytes()))


def test_a_token_is_finished_from_what_was_kept() -> None:
    drawn = TokenRequest.draw(issuer_key())
    kept = papers.pending_from_bytes(papers.pending_to_bytes(drawn))
    assert kept == drawn
    asked = BlindRequest.from_bytes(BlindRequest(issuer_key().id, drawn.blinded.message).to_bytes())
    reply = papers.reply_from_bytes(papers.reply_to_bytes(issue(issuer(), asked.blinded)))
    verify_token(kept.finish(reply).to_bytes(), issuer_key())


def changed(paper: bytes, **fields: Any) -> bytes:
    value = {**json.loads(paper), **fields}
    kept = {name: item for name, item in value.items() if item is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":")).encode() + b"\n"


ASKED = Challenge("portal.example", bytes(range(32))).to_bytes()
PENDING = papers.pending_to_bytes(TokenRequest.draw(issuer_key()))
BAD_PAPERS: dict[str, tuple[Callable[[bytes], object], bytes, str]] = {
    "nothing": (Challenge.from_bytes, b"", "paper_invalid"),
    "no newline": (Challenge.from_bytes, ASKED[:-1], "paper_invalid"),
    "two newlines": (Challenge.from_bytes, ASKED + b"\n", "paper_invalid"),
    "spaces": (Challenge.from_bytes, ASKED.replace(b":", b": "), "paper_invalid"),
    "another kind": (Answer.from_bytes, ASKED, "paper_invalid"),
    "another version": (
        Challenge.from_bytes,
        changed(ASKED, format="bauta.source-challenge/v2"),
        "paper_invalid",
    ),
    "a field too many": (Challenge.from_bytes, changed(ASKED, name="anna"), "paper_invalid"),
    "a field too few": (Challenge.from_bytes, changed(ASKED, nonce=None), "paper_invalid"),
    "a number for text": (Challenge.from_bytes, changed(ASKED, verifier=1), "paper_invalid"),
    "a short nonce": (Challenge.from_bytes, changed(ASKED, nonce="00"), "paper_invalid"),
    "capitals": (Challenge.from_bytes, changed(ASKED, nonce=bytes(range(32)).hex().upper()), "paper_invalid"),
    "hex with blanks": (Challenge.from_bytes, changed(ASKED, nonce="00 " * 31 + "00"), "paper_invalid"),
    "a verifier of two lines": (Challenge.from_bytes, changed(ASKED, verifier="a\nb"), "scope_invalid"),
    "an escape for a terminal": (Challenge.from_bytes, changed(ASKED, verifier="\x1b[2J"), "scope_invalid"),
    "a nameless verifier": (Challenge.from_bytes, changed(ASKED, verifier=""), "scope_invalid"),
    "far too large": (Challenge.from_bytes, ASKED + b" " * (1 << 20), "paper_invalid"),
    "no JSON": (papers.token_from_bytes, b"\xff\n", "paper_invalid"),
    "a list": (papers.token_from_bytes, b"[]\n", "paper_invalid"),
    "an empty token": (
        papers.token_from_bytes,
        b'{"format":"bauta.token/v1","token":""}\n',
        "paper_invalid",
    ),
    "an inverse of zero": (papers.pending_from_bytes, changed(PENDING, inverse="00" * 256), "paper_invalid"),
    "an inverse beyond the modulus": (
        papers.pending_from_bytes,
        changed(PENDING, inverse="ff" * 256),
        "paper_invalid",
    ),
    "an issuer that is no key": (
        papers.pending_from_bytes,
        changed(PENDING, issuer="00" * 64),
        "issuer_key_invalid",
    ),
}


@pytest.mark.parametrize("name", BAD_PAPERS)
def test_a_paper_of_another_form_is_refused(name: str) -> None:
    read, untrusted, code = BAD_PAPERS[name]
    with pytest.raises(SubmitterError) as refused:
        read(untrusted)
    assert refused.value.code == code


PEM = issuer_key().to_pem()
BAD_PEMS = {
    "nothing": b"",
    "the private key": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "text before it": b"mine:\n" + PEM,
    "two keys": PEM + PEM,
    "other line ends": PEM.replace(b"\n", b"\r\n"),
    "a letter that is none of base64": PEM.replace(b"M", b"!", 1),
    "a curve": ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    "RSA of another size": rsa.generate_private_key(65537, 1024)
    .public_key()
    .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
}


@pytest.mark.parametrize("name", BAD_PEMS)
def test_a_public_key_of_another_form_is_refused(name: str) -> None:
    assert IssuerKey.from_pem(PEM) == issuer_key()
    with pytest.raises(SubmitterError) as refused:
        IssuerKey.from_pem(BAD_PEMS[name])
    assert refused.value.code == "issuer_key_invalid"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same files with a small work factor: a passphrase is meant to take a second and 256 MiB."""
    monkeypatch.setattr(key_file, "PassphraseRecipient", partial(PassphraseRecipient, work_factor=4))


@pytest.mark.usefixtures("quick")
def test_secrets_open_with_their_own_passphrase_and_as_what_they_are(tmp_path: Path) -> None:
    source, secret = tmp_path / "source", SubmitterSecret.generate()
    key_files.write_source(source, secret, "a passphrase")
    assert source.stat().st_mode & 0o777 == 0o600
    assert secret.secret not in source.read_bytes()
    assert key_files.read_source(source, lambda: "a passphrase") == secret
    with pytest.raises(FileExistsError):
        key_files.write_source(source, secret, "a passphrase")
    with pytest.raises(key_files.SourceFileError) as refused:
        key_files.read_source(source, lambda: "another one")
    assert refused.value.code == "source_file_invalid"
    with pytest.raises(key_files.IssuerFileError) as refused_as_issuer:
        key_files.read_issuer(source, lambda: "a passphrase")
    assert refused_as_issuer.value.code == "issuer_file_invalid"


@pytest.mark.usefixtures("quick")
def test_an_issuers_key_comes_back_whole(tmp_path: Path) -> None:
    made = generate_issuer_key()
    key_files.write_issuer(tmp_path / "issuer", made, "a passphrase")
    read = key_files.read_issuer(tmp_path / "issuer", lambda: "a passphrase")
    assert read.public_key() == made.public_key()
    request = TokenRequest.draw(IssuerKey.of(made.public_key()))
    verify_token(request.finish(issue(read, request.blinded.message)).to_bytes(), request.key)
    assert read.key_size == 3072


@pytest.mark.parametrize(("p", "q"), [(0, 0), (1, 1), (15, 15), (65538, 65538)])
def test_numbers_that_are_no_primes_of_a_key_are_refused(p: int, q: int, tmp_path: Path) -> None:
    primes = {"p": p.to_bytes(192, "big"), "q": q.to_bytes(192, "big")}
    path = tmp_path / "issuer"
    path.write_bytes(key_files.key_object(key_files.ISSUER_FORMAT, primes))
    with pytest.raises(key_files.IssuerFileError) as refused:
        key_files.read_issuer(path, lambda: "")
    assert refused.value.code == "issuer_file_invalid"
