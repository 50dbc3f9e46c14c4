"""The leak report of a statement: figures that cannot all be true are never signed, and never read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance_makers import ATTACKED, attacked, hex_of, job_facts

from provenance import canonical
from provenance.errors import FormatError
from provenance.statements import JobFacts
from provenance.statements.leaks import MOST_ROUNDS
from provenance.statements.vocabulary import LEAKS

OF_VOICES = {"voice_matched": None, "voice_windows": None}
OF_FACES = {"faces_open": None, "faces_under": None, "identities_compared": None, "identities_matched": None}
OF_PICTURES = {"faces_attacked": None, "frames_attacked": None, "frames_unchecked": None, "texts_open": None}
NOBODY: dict[str, Any] = {"attackers": {}, "independent": ()}
SOUND_ALONE: dict[str, Any] = {"media_type": "audio/mp4", "frames": 0, "frames_with_faces": 0, "quality": {}}
SOUND_ALONE |= {"also_covered": {}, "frames_also_covered": {}}

SENSIBLE: dict[str, dict[str, Any]] = {
    "all figures": attacked(),
    "once": attacked(rounds=1),
    "no voice": attacked(**OF_VOICES),
    "no recognizer of faces": attacked(identities_compared=None, identities_matched=None),
    "no text": attacked(texts_open=None),
    "nobody could attack": attacked(**OF_FACES, **OF_VOICES, texts_open=None) | NOBODY,
    "nobody is independent": attacked() | {"independent": ()},
    "every frame": attacked(frames_attacked=90) | {"leaks_look": "exhaustive"},
    "everything was found": attacked(
        faces_open=14, faces_under=21, identities_matched=20, texts_open=14, voice_matched=60
    ),
    "sound alone": attacked(**OF_FACES, **OF_PICTURES) | SOUND_ALONE,
    "all of a sound": attacked(**OF_FACES, **OF_PICTURES) | SOUND_ALONE | {"leaks_look": "exhaustive"},
    "nobody attacked": {},
}


@pytest.mark.parametrize("changes", SENSIBLE.values(), ids=SENSIBLE.keys())
def test_a_report_that_makes_sense_is_signed_and_read(changes: dict[str, Any]) -> None:
    facts = job_facts(**changes)
    assert JobFacts.from_statement(facts.to_statement()) == facts
    told = json.loads(facts.to_statement())["predicate"]
    assert told["leaks"] == changes.get("leaks", {}), "what nobody counted is not told as none"
    assert told["leaksLook"] == changes.get("leaks_look", "none")


def test_the_maker_knows_every_figure() -> None:
    assert tuple(ATTACKED["leaks"]) == LEAKS


NONSENSE: dict[str, dict[str, Any]] = {
    "no round": attacked(rounds=0),
    "more rounds than there are": attacked(rounds=MOST_ROUNDS + 1),
    "more frames than there are": attacked(frames_attacked=91),
    "more frames with open faces than were looked at": attacked(faces_open=15),
    "more frames with text than were looked at": attacked(texts_open=15),
    "more faces under covers than covers": attacked(faces_under=22),
    "more matched than compared": attacked(identities_matched=21),
    "more voices than were listened to": attacked(voice_matched=61),
    "matched, and nothing compared": attacked(identities_compared=None),
    "listened to, and nobody says for what": attacked(voice_matched=None),
    "a frame that nobody checked": attacked(frames_unchecked=1),
    "metadata": attacked(metadata_left=1),
    "no word on metadata": attacked(metadata_left=None),
    "no word on unchecked frames": attacked(frames_unchecked=None),
    "no rounds": attacked(rounds=None),
    "no time": attacked(seconds=None),
    "all frames, and not all of them": attacked() | {"leaks_look": "exhaustive"},
    "figures of no look": attacked() | {"leaks_look": "none"},
    "a look without figures": {"leaks_look": "sampled"},
    "attackers of nothing": {"attackers": {"centerface": hex_of("centerface")}},
    "found by nobody": attacked() | NOBODY,
    "independent, and did not attack": attacked() | {"independent": ("centerface",)},
    "another digest than the model's": attacked() | NOBODY | {"attackers": {"ppocr-text": hex_of("x")}},
    "an attacker that is no model": attacked() | {"models": {"centerface": hex_of("centerface")}},
    "an open face in a sound": attacked(**{**OF_FACES, **OF_PICTURES, "faces_open": 0}) | SOUND_ALONE,
    "frames of a sound": attacked(**{**OF_FACES, **OF_PICTURES, "frames_unchecked": 0}) | SOUND_ALONE,
}


@pytest.mark.parametrize("changes", NONSENSE.values(), ids=NONSENSE.keys())
def test_figures_that_cannot_all_be_true_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        job_facts(**changes)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("leaks", {"faces_open": 15}),
        ("leaks", {"anna": 1}),
        ("leaks", {"faces_open": -1}),
        ("leaks", {"faces_open": 0.5}),
        ("leaks", {"faces_open": True}),
        ("attackers", {"anna": hex_of("anna")}),
        ("leaksLook", {"x": "glanced"}),
    ],
    ids=str,
)
def test_a_strangers_statement_is_held_to_the_same(where: str, value: dict[str, Any]) -> None:
    statement = json.loads(job_facts(**attacked()).to_statement())
    predicate = statement["predicate"]
    predicate[where] = "glanced" if where == "leaksLook" else {**predicate[where], **value}
    with pytest.raises(FormatError):
        JobFacts.from_statement(canonical.dumps(statement))
