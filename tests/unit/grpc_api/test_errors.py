"""What a service says is shown as text, never obeyed by a terminal."""

from __future__ import annotations

import grpc
import pytest

from grpc_api.errors import said_by_a_service


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("job_not_found", "job_not_found"),
        ("", "service_answer_unknown"),
        ("Job", "service_answer_unknown"),
        ("\x1b[2J", "service_answer_unknown"),
        ("a" * 65, "service_answer_unknown"),
    ],
)
def test_a_code_has_its_form(code: str, shown: str) -> None:
    assert said_by_a_service(code, "", grpc.StatusCode.INTERNAL).code == shown


def test_a_message_is_printable_and_bounded() -> None:
    hostile = "\x1b]0;owned\x07 \r\n\u202e" + "x" * 1000
    shown = str(said_by_a_service("busy", hostile, grpc.StatusCode.INTERNAL))
    assert shown.isprintable()
    assert len(shown) == 400
