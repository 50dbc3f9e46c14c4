"""What a job statement may say of a sound: closed words, and nothing that contradicts itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from statement_makers import SOUND

from provenance.errors import FormatError
from provenance.statements import JobFacts
from provenance.statements.job import sound_as_a_whole
from provenance.statements.vocabulary import AUDIO, SOUND_DONE

JOB = SOUND[JobFacts]()

SAID: dict[str, dict[str, Any]] = {
    "made voices": {"audio": "anonymized", "sound_seconds": {"anonymized": 9}, "voices": 2},
    "and a word bleeped": {
        "audio": "anonymized",
        "sound_seconds": {"anonymized": 9, "bleeped": 1},
        "words_bleeped": 1,
    },
    "one kept": {"audio": "partly_kept", "sound_seconds": {"anonymized": 9, "kept": 5}, "voices": 2},
    "a list of words, none heard": {"audio": "kept", "sound_seconds": {"kept": 5}, "words_bleeped": 0},
    "let through": {"audio": "kept"},
    "sound alone": {"audio": "bleeped", "sound_seconds": {"bleeped": 3, "removed": 1}, "voices": 1},
}


@pytest.mark.parametrize("said", SAID.values(), ids=SAID)
def test_what_may_be_said(said: dict[str, Any]) -> None:
    facts = replace(JOB, **said)
    assert JobFacts.from_statement(facts.to_statement()) == facts


CONTRADICTIONS: dict[str, dict[str, Any]] = {
    "kept seconds under another word": {"audio": "anonymized", "sound_seconds": {"anonymized": 9, "kept": 1}},
    "all of it kept, and some changed": {"audio": "kept", "sound_seconds": {"kept": 9, "bleeped": 1}},
    "removed, and spoken": {"audio": "removed", "sound_seconds": {"anonymized": 9}},
    "no sound, and some of it bleeped": {"audio": "none", "sound_seconds": {"bleeped": 9}},
    "nothing for no time": {"audio": "anonymized", "sound_seconds": {"anonymized": 9, "removed": 0}},
    "voices that nobody listened to": {"audio": "kept", "voices": 1},
    "words that nobody listened to": {"audio": "kept", "words_bleeped": 0},
    "an effect that is none": {"audio": "whispered", "sound_seconds": {"whispered": 3}},
    "a word of somebody": {"audio": "anonymized", "sound_seconds": {"anonymized": 9, "Antonio": 1}},
    "a time that is none": {"audio": "anonymized", "sound_seconds": {"anonymized": 9.5}},
    "less than nobody": {"audio": "anonymized", "sound_seconds": {"anonymized": 9}, "voices": -1},
}


@pytest.mark.parametrize("said", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_contradicts_itself(said: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        replace(JOB, **said)


def test_the_word_for_all_of_it_is_the_weakest() -> None:
    for word in SOUND_DONE:
        assert sound_as_a_whole({word: 1}) == word
        assert word in AUDIO
    assert sound_as_a_whole(dict.fromkeys(SOUND_DONE, 1)) == "partly_kept"
    assert sound_as_a_whole({"removed": 5, "bleeped": 1}) == "bleeped"
    assert sound_as_a_whole({"removed": 5, "bleeped": 1, "anonymized": 1}) == "anonymized"
