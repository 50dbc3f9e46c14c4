"""Every code that a job can fail with has a sentence, and no sentence is left over."""

from __future__ import annotations

from grpc_api.errors import _LONGEST_MESSAGE
from grpc_api.messages import MESSAGES
from provenance.statements.vocabulary import FAILURE_CODES


def test_codes_and_sentences_match() -> None:
    assert set(MESSAGES) == set(FAILURE_CODES)


def test_sentences_are_sentences() -> None:
    for code, sentence in MESSAGES.items():
        assert sentence[0].isupper(), code
        assert sentence.endswith("."), code


def test_what_is_held_back_is_told_as_that_and_what_helps() -> None:
    held = {code: sentence for code, sentence in MESSAGES.items() if sentence.startswith("Held back: ")}
    told = {f"result_shows_{what}" for what in ("faces", "identities", "text", "voices")}
    assert held.keys() == told | {"result_unchecked", "result_tells_metadata"}
    for code, sentence in held.items():
        assert ("docs/leaks.md" if code in told else "report it") in sentence, code
        assert len(sentence) <= _LONGEST_MESSAGE, "a client shows no more of it"
