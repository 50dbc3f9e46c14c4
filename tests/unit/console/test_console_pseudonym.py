"""A pseudonym comes from a file or a question, in one spelling, and never from the command line."""

from __future__ import annotations

import inspect
import io
from pathlib import Path

import pytest
import typer

from console.commands.submit import submit
from console.pseudonym import instructions_for
from enclave.policy import Instructions
from tests.unit.enclave.enclave_makers import POLICY_TEXT

WANTED = Instructions("Zoë", "the harbour")

SOUND = {
    "two lines": "Zoë\nthe harbour\n",
    "no line end at the end": "Zoë\nthe harbour",
    "line ends of another system": "Zoë\r\nthe harbour\r\n",
    "an accent of its own": "Zoe\u0308\nthe harbour\n",
    "blanks around": "  Zoë \n\tthe harbour \n",
}


@pytest.mark.parametrize("text", SOUND.values(), ids=SOUND)
def test_one_name_however_it_is_typed(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "names").write_bytes(text.encode())
    assert instructions_for(tmp_path / "names", False) == WANTED
    monkeypatch.setattr("sys.stdin", io.StringIO(text.replace("\r", "")))
    assert instructions_for(None, True) == WANTED


UNSOUND = {
    "nothing": b"",
    "one line": b"Zoe\n",
    "three lines": b"Zoe\nthe harbour\nmore\n",
    "an empty scope": b"Zoe\n\n",
    "an empty pseudonym": b"\nthe harbour\n",
    "both empty": b"\n\n",
    "not text": b"\xff\xfe\n\xff\n",
    "far too long": b"Z" * 65 + b"\nthe harbour\n",
    "a whole book": b"Z\n" * 100_000,
    "a control character": b"Z\x07oe\nthe harbour\n",
}


@pytest.mark.parametrize("content", UNSOUND.values(), ids=UNSOUND)
def test_anything_else_is_wrong_usage_and_is_not_repeated(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "names").write_bytes(content)
    with pytest.raises(typer.BadParameter) as wrong:
        instructions_for(tmp_path / "names", False)
    assert "Zoe" not in wrong.value.message
    assert "harbour" not in wrong.value.message


def test_without_a_pseudonym_there_are_no_instructions() -> None:
    assert instructions_for(None, False) == Instructions()


def test_both_ways_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter):
        instructions_for(tmp_path, True)


def test_under_a_policy_that_makes_neither_face_nor_voice_a_pseudonym_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "names").write_text("Zoe\nthe harbour\n")
    (tmp_path / "in.png").write_bytes(b"not looked at")
    (tmp_path / "policy.toml").write_text(POLICY_TEXT)
    with pytest.raises(typer.BadParameter, match="changes nothing") as wrong:
        submit(
            tmp_path / "in.png",
            tmp_path / "out.png",
            policy=str(tmp_path / "policy.toml"),
            pseudonym_file=tmp_path / "names",
        )
    assert "Zoe" not in wrong.value.message


def test_no_option_of_submit_takes_the_names_themselves() -> None:
    """Other users of the machine read command lines."""
    options = inspect.signature(submit).parameters
    about_names = {name for name in options if "pseudonym" in name or "scope" in name}
    assert about_names == {"pseudonym_file", "ask_pseudonym"}
    assert options["ask_pseudonym"].default is False
