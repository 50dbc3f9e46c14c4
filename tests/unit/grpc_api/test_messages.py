"""Every code that a job can fail with has a sentence, and no sentence is left over."""

from __future__ import annotations

from grpc_api.messages import MESSAGES
from provenance.statements.vocabulary import FAILURE_CODES


def test_codes_and_sentences_match() -> None:
    assert set(MESSAGES) == set(FAILURE_CODES)


def test_sentences_are_sentences() -> None:
    for code, sentence in MESSAGES.items():
        assert sentence[0].isupper(), code
        assert sentence.endswith("."), code
