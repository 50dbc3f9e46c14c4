"""Who is enrolled comes from the command line or a file, within bounds; no error names anybody."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import typer

from console.enrolment import enrolment_for
from enclave.policy import EnrolledPerson, Instructions, Policy, parse_policy, shipped
from enclave.policy.enrolment import MAX_PICTURE_BYTES
from grpc_api.client.enrolment import FACE_EMBEDDING, Enrolment
from grpc_api.errors import ServiceError
from provenance.statements.vocabulary import MODELS
from tests.unit.enclave.enclave_makers import POLICY_TEXT

ROLES = """
[[roles]]
name = "host"
enrolled = true
[roles.faces]
effect = "keep"

[[roles]]
name = "guest"
enrolled = true
[roles.faces]
effect = "blur"
"""


@pytest.fixture
def policy() -> Policy:
    return parse_policy(POLICY_TEXT + ROLES)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "zoe.jpg").write_bytes(b"one")
    (tmp_path / "Zoe.PNG").write_bytes(b"twice")
    (tmp_path / "max.f32").write_bytes(bytes(256))
    return tmp_path


def test_people_come_in_order_and_their_pictures_in_a_row(folder: Path, policy: Policy) -> None:
    file = folder / "people.toml"
    file.write_text(
        '[[person]]\nrole = "host"\npictures = ["zoe.jpg", "Zoe.PNG"]\n'
        '[[person]]\nrole = "guest"\nembedding = "max.f32"\n'
    )
    enrolment = enrolment_for([f"guest={folder / 'zoe.jpg'}"], file, policy)
    assert enrolment.people == (
        EnrolledPerson("guest", (3,)),
        EnrolledPerson("host", (3, 5)),
        EnrolledPerson("guest", embedding=bytes(256)),
    )
    assert enrolment.pictures == b"oneonetwice"
    named = Instructions("Pantalone", "the harbour")
    told = enrolment.told(named)
    assert told is not None
    assert (told.pseudonym, told.enrolled) == ("Pantalone", enrolment.people)
    assert enrolment_for([f"host={folder / 'max.f32'}"], None, policy).people[0].embedding == bytes(256)


def test_without_anybody_nothing_is_said(policy: Policy) -> None:
    none = enrolment_for(None, None, policy)
    assert none == Enrolment()
    assert none.told(None) is None
    assert none.told(Instructions("Pantalone", "the harbour")) == Instructions("Pantalone", "the harbour")


WRONG_LINES = ("host", "host=", "=zoe.jpg", "host=zoe.webp", "host=nobody.jpg", "teacher=zoe.jpg", "host=.")


@pytest.mark.parametrize("line", WRONG_LINES)
def test_a_line_that_is_none_is_wrong_usage(
    line: str, folder: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(typer.BadParameter) as wrong:
        enrolment_for([line], None, policy)
    assert "zoe" not in wrong.value.message.lower()


WRONG_FILES = {
    "no TOML": "[[person",
    "nobody": "",
    "another table": '[[people]]\nrole = "host"\npictures = ["zoe.jpg"]\n',
    "no list": '[person]\nrole = "host"\npictures = ["zoe.jpg"]\n',
    "no role": '[[person]]\npictures = ["zoe.jpg"]\n',
    "a role that is a number": '[[person]]\nrole = 7\npictures = ["zoe.jpg"]\n',
    "a key too many": '[[person]]\nrole = "host"\nname = "Zoe"\npictures = ["zoe.jpg"]\n',
    "no picture": '[[person]]\nrole = "host"\npictures = []\n',
    "a picture that is a number": '[[person]]\nrole = "host"\npictures = [1]\n',
    "a vector for a picture": '[[person]]\nrole = "host"\npictures = ["max.f32"]\n',
    "a picture for a vector": '[[person]]\nrole = "host"\nembedding = "zoe.jpg"\n',
    "six pictures": f'[[person]]\nrole = "host"\npictures = {["zoe.jpg"] * 6}\n',
    "nine people": '[[person]]\nrole = "host"\npictures = ["zoe.jpg"]\n' * 9,
    "an impossible date": "when = 2026-02-30\n",
    "too deep": "a = " + "[" * 5000,
    "a key of many parts": "a." * 5000 + "b = 1\n",
    "a book": "# " + "x" * 20_000,
}


@pytest.mark.parametrize("text", WRONG_FILES.values(), ids=WRONG_FILES)
def test_a_file_that_is_none_is_wrong_usage(text: str, folder: Path, policy: Policy) -> None:
    (folder / "people.toml").write_text(text)
    with pytest.raises(typer.BadParameter) as wrong:
        enrolment_for(None, folder / "people.toml", policy)
    assert "zoe" not in wrong.value.message.lower()


def test_pictures_have_a_size(folder: Path, policy: Policy) -> None:
    for size in (0, MAX_PICTURE_BYTES + 1):
        with (folder / "zoe.jpg").open("wb") as file:
            file.truncate(size)
        with pytest.raises(typer.BadParameter):
            enrolment_for([f"host={folder / 'zoe.jpg'}"], None, policy)
    with (folder / "zoe.jpg").open("wb") as file:
        file.truncate(MAX_PICTURE_BYTES)
    with pytest.raises(typer.BadParameter, match="MiB in all"):
        enrolment_for([f"host={folder / 'zoe.jpg'}"] * 5, None, policy)


@pytest.mark.parametrize("name", sorted(shipped()))
def test_no_policy_that_comes_with_bauta_shows_anybody_by_their_face(name: str, folder: Path) -> None:
    with pytest.raises(typer.BadParameter, match="nobody"):
        enrolment_for([f"teacher={folder / 'zoe.jpg'}"], None, shipped()[name])


def test_a_worker_without_a_network_is_sent_nothing() -> None:
    assert FACE_EMBEDDING in MODELS
    somebody = Enrolment((EnrolledPerson("host", (3,)),), b"one")
    bare, knowing = (
        SimpleNamespace(facts=SimpleNamespace(models=dict.fromkeys(names, "00" * 32)))
        for names in (("centerface",), ("centerface", FACE_EMBEDDING))
    )
    somebody.require_network(knowing)  # type: ignore[arg-type] - as much of a release as is read
    Enrolment().require_network(bare)  # type: ignore[arg-type] - the same
    with pytest.raises(ServiceError) as caught:
        somebody.require_network(bare)  # type: ignore[arg-type] - the same
    assert caught.value.code == "model_missing"
    assert "one" not in repr(somebody)
