"""Roles and reviews in a policy: what may be asked for, and what contradicts itself."""

from __future__ import annotations

import pytest
from enclave_makers import POLICY_TEXT, some_terms

from anonymizer import AnonymizerError, Settings
from enclave.errors import PolicyError
from enclave.policy import Instructions, Policy, ReviewPolicy, RoleCover, Terms, parse_policy, shipped
from enclave.policy.covers import EFFECTS_BY_PSEUDONYM
from enclave.policy.decisions import COVERING, SHOWING
from enclave.review.decisions import WORDS
from enclave.worker.settings import settings_of

# Keys of the document stand before its tables.
DEFAULT = 'default_role = "student"\n'
TEACHER = '[[roles]]\nname = "teacher"\n[roles.faces]\neffect = "blur"\n'
REVIEW = '[review]\nmay = ["role"]\n'
PEOPLE = """
[people]
effect = "solid"
shape = "box"
scale = 1.1
threshold = 0.3
linger_seconds = 0.5
lookahead_seconds = 0.5
"""
MARK = "[[keep_skin]]\nleft = 0.1\ntop = 0.2\nright = 0.5\nbottom = 0.6\n"


def policy_of(*parts: str, first: str = "") -> Policy:
    return parse_policy(first + POLICY_TEXT + "".join(parts))


def settings(policy: Policy) -> Settings:
    return settings_of(Terms(policy, policy.modes[0], some_terms().recipients))


def test_without_a_word_about_it_a_reviewer_may_only_cover_more() -> None:
    assert policy_of().review == ReviewPolicy(COVERING)
    assert (policy_of().roles, policy_of().role_names) == ((), ())


def test_the_words_are_those_that_decisions_have() -> None:
    assert set(COVERING) | set(SHOWING) == set(WORDS)
    assert not set(COVERING) & set(SHOWING)


def test_whoever_may_look_may_always_cover_more() -> None:
    assert policy_of('[review]\nmay = ["keep"]\n').review.may == (*COVERING, "keep")


def test_a_role_differs_where_it_says_so_and_nowhere_else() -> None:
    policy = policy_of(PEOPLE, TEACHER, REVIEW, first=DEFAULT)
    assert policy.role_names == ("student", "teacher")
    [teacher] = policy.roles
    assert teacher.covers == {"face": RoleCover("blur")}
    made = settings(policy)
    light = made.as_role("teacher", "face")
    assert light is not None
    assert light.effect == "blur"
    assert {**vars(light), "effect": "solid"} == vars(made.faces)
    assert made.as_role("teacher", "person") == made.people
    assert made.as_role("student", "face") == made.faces
    with pytest.raises(AnonymizerError) as refusal:
        made.as_role("headmaster", "face")
    assert refusal.value.code == "decisions_invalid"


def test_a_role_may_be_seen() -> None:
    seen = '[[roles]]\nname = "speaker"\n[roles.faces]\neffect = "keep"\n[roles.people]\neffect = "keep"\n'
    made = settings(policy_of(PEOPLE, seen, REVIEW))
    assert made.as_role("speaker", "face") is None
    assert made.as_role("speaker", "person") is None


def test_a_role_may_have_another_shape_and_size() -> None:
    partial = '[[roles]]\nname = "partial"\n[roles.faces]\neffect = "solid"\nshape = "ellipse"\nscale = 1\n'
    cover = settings(policy_of(partial, REVIEW)).as_role("partial", "face")
    assert cover is not None
    assert (cover.effect, cover.shape, cover.scale) == ("solid", "ellipse", 1.0)


def test_effects_that_a_reviewer_may_choose_from() -> None:
    text = '[review]\nmay = ["effect"]\n[review.effects]\nface = ["persona", "mosaic"]\n'
    assert policy_of(text).review.effects == {"face": ("persona", "mosaic")}


TEACHERS_VOICE = '[[roles]]\nname = "teacher"\n[roles.audio]\neffect = "keep"\n'


def with_voices(effect: str, *parts: str) -> Policy:
    return parse_policy("\n".join((POLICY_TEXT.replace('effect = "remove"', f'effect = "{effect}"'), *parts)))


def test_a_role_of_a_voice_alone() -> None:
    made = settings(with_voices("anonymize", TEACHERS_VOICE, REVIEW))
    assert (made.audio, made.voice_as_role("teacher")) == ("anonymize", "keep")
    assert made.hears
    assert not made.lets_sound_through
    with pytest.raises(AnonymizerError) as refusal:
        made.voice_as_role("headmaster")
    assert refusal.value.code == "decisions_invalid"


def test_a_role_may_be_heard_where_nobody_else_is() -> None:
    made = settings(with_voices("remove", TEACHERS_VOICE, REVIEW))
    assert (made.audio, made.hears, made.lets_sound_through) == ("remove", True, False)
    assert settings(with_voices("keep", TEACHERS_VOICE, REVIEW)).lets_sound_through
    assert not settings(with_voices("remove")).hears


def test_a_submitter_who_wants_no_sound_gets_none() -> None:
    """Neither the policy, nor a role, nor a list of words brings any of it back."""
    words = 'words = ["name"]\nrecognizer = "pocketsphinx"\n'
    policy = with_voices("keep", words, TEACHERS_VOICE, REVIEW)
    terms = Terms(policy, policy.modes[0], some_terms().recipients)
    made = settings_of(terms)
    assert (made.audio, made.words, made.recognizer, made.hears) == ("keep", ("name",), "pocketsphinx", True)
    silent = settings_of(terms, Instructions(sound="remove"))
    assert (silent.audio, silent.words, silent.recognizer, silent.hears) == ("remove", (), "", False)
    assert silent.voice_as_role("teacher") == "remove"


@pytest.mark.parametrize(
    ("effect", "role", "makes"),
    [("anonymize", "keep", True), ("remove", "anonymize", True), ("bleep", "keep", False)],
)
def test_a_pseudonym_has_a_meaning_where_voices_are_made(effect: str, role: str, makes: bool) -> None:
    assert with_voices(effect, TEACHERS_VOICE.replace("keep", role), REVIEW).takes_pseudonym == makes


VOICES = '[review]\nmay = ["effect"]\n[review.effects]\nvoice = {}\n'
CHOICES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "less may always be heard": ("anonymize", "", ("anonymize", "bleep", "remove")),
    "where all is heard, all may be chosen": ("keep", "", ("keep", "anonymize", "bleep", "remove")),
    "where nothing is heard, nothing may be": ("remove", "", ("remove",)),
    "what is named may be heard too": ("bleep", '["keep"]', ("keep", "bleep", "remove")),
    "and nothing between": ("bleep", '["anonymize", "remove"]', ("anonymize", "bleep", "remove")),
}


@pytest.mark.parametrize(("usual", "named", "chosen"), CHOICES.values(), ids=CHOICES)
def test_what_may_be_chosen_for_a_voice(usual: str, named: str, chosen: tuple[str, ...]) -> None:
    policy = with_voices(usual, VOICES.format(named) if named else "")
    assert policy.review.voice_effects(policy.audio.effect) == chosen
    assert policy.takes_pseudonym == ("anonymize" in {usual} or "anonymize" in named)


def test_where_all_sound_is_removed_no_voice_can_be_chosen() -> None:
    with pytest.raises(PolicyError, match="nobody listens"):
        with_voices("remove", VOICES.format('["keep"]'))


MAKING_FACES = {
    "nobody draws any": ("", False),
    "a role does": (TEACHER.replace("blur", "persona") + REVIEW, True),
    "a role keeps one": (TEACHER.replace("blur", "keep") + REVIEW, False),
    "a reviewer may": ('[review]\nmay = ["effect"]\n[review.effects]\nface = ["mosaic", "swap"]\n', True),
    "a reviewer may blur": ('[review]\nmay = ["effect"]\n[review.effects]\nface = ["blur"]\n', False),
}


@pytest.mark.parametrize(("parts", "makes"), MAKING_FACES.values(), ids=MAKING_FACES)
def test_a_pseudonym_has_a_meaning_where_faces_are_drawn(parts: str, makes: bool) -> None:
    assert policy_of(parts).takes_pseudonym == makes
    for effect in EFFECTS_BY_PSEUDONYM:
        assert parse_policy((POLICY_TEXT + parts).replace('"solid"', f'"{effect}"', 1)).takes_pseudonym


def test_marked_skin_and_letters() -> None:
    made = settings(policy_of(PEOPLE, MARK, '[labels]\nfaces = "letters"\n'))
    [mark] = made.keep_skin
    assert (mark.left, mark.top, mark.right, mark.bottom) == (0.1, 0.2, 0.5, 0.6)
    assert made.labels == "letters"
    assert settings(policy_of()).labels == "none"


EFFECTS = '[review]\nmay = ["effect"]\n[review.effects]\n'
CONTRADICTIONS: dict[str, tuple[str, ...]] = {
    "roles that nobody may give": (TEACHER,),
    "a review that gives roles where there are none": (REVIEW,),
    "a name for everybody, and no other role": ("", DEFAULT),
    "one name for everybody and for a role": (TEACHER + REVIEW, 'default_role = "teacher"\n'),
    "two roles of one name": (TEACHER * 2 + REVIEW,),
    "nine roles": ("".join(TEACHER.replace("teacher", f"t{n}") for n in range(9)) + REVIEW,),
    "a role without a name": (TEACHER.replace('name = "teacher"\n', "") + REVIEW,),
    "a name that is none": (TEACHER.replace("teacher", "The Teacher") + REVIEW,),
    "a role that says nothing": ('[[roles]]\nname = "teacher"\n' + REVIEW,),
    "a role for text": (TEACHER.replace("roles.faces", "roles.text") + REVIEW,),
    "a role for people who are not covered": (TEACHER.replace("roles.faces", "roles.people") + REVIEW,),
    "an effect that faces do not have": (TEACHER.replace("blur", "remove") + REVIEW,),
    "a role with a threshold of its own": (TEACHER + "threshold = 0.9\n" + REVIEW,),
    "what is kept has a size": (TEACHER.replace("blur", "keep") + "scale = 1.0\n" + REVIEW,),
    "a cover smaller than the face": (TEACHER + "scale = 0.5\n" + REVIEW,),
    "effects, and none named": ('[review]\nmay = ["effect"]\n',),
    "effects named, and not allowed": ('[review]\nmay = ["keep"]\n[review.effects]\nface = ["blur"]\n',),
    "keep as an effect": (EFFECTS + 'face = ["keep"]\n',),
    "effects for people who are not covered": (EFFECTS + 'person = ["solid"]\n',),
    "effects of a kind that there is not": (EFFECTS + 'voice = ["solid"]\n',),
    "a decision that there is not": ('[review]\nmay = ["uncover"]\n',),
    "no decision at all": ("[review]\nmay = []\n",),
    "marked skin that nothing covers": (MARK,),
    "marked skin without the sensor's noise": (PEOPLE + MARK + '[camera]\nnoise = "suppress"\n',),
    "marked skin without a middle": (PEOPLE + MARK.replace("0.5", "0.1"),),
    "labels of another kind": ('[labels]\nfaces = "names"\n',),
    "labels on something else": ('[labels]\npeople = "letters"\n',),
}


@pytest.mark.parametrize("parts", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused(parts: tuple[str, ...]) -> None:
    text, first = (*parts, "")[:2]
    with pytest.raises(PolicyError) as caught:
        policy_of(text, first=first)
    assert caught.value.code == "policy_invalid"


LESS_COVERED = {
    "a role": TEACHER + REVIEW,
    "a role that is seen": TEACHER.replace("blur", "keep") + REVIEW,
    "keep": '[review]\nmay = ["keep"]\n',
    "another effect": EFFECTS + 'face = ["blur"]\n',
    "a voice": TEACHERS_VOICE + REVIEW,
}


@pytest.mark.parametrize("parts", LESS_COVERED.values(), ids=LESS_COVERED)
def test_nobody_shows_more_than_a_locked_policy_does(parts: str) -> None:
    locked = POLICY_TEXT.replace("locked = false", "locked = true")
    assert parse_policy(locked + '[review]\nmay = ["draw"]\n').review.may == COVERING
    assert parse_policy(POLICY_TEXT + parts)
    with pytest.raises(PolicyError, match="locked"):
        parse_policy(locked + parts)


SHIPPED = {
    "classroom": (("student", "teacher"), {"keep", "role", "effect"}),
    "evidence": ((), set()),
    "street": ((), {"effect"}),
    "telehealth": (("full", "partial"), {"keep", "role", "effect"}),
    "whistleblower": ((), set()),
}


def test_what_the_shipped_policies_leave_to_people() -> None:
    found = {
        name: (policy.role_names, set(policy.review.may) - set(COVERING))
        for name, policy in shipped().items()
    }
    assert found == SHIPPED


def test_nobody_is_less_covered_by_default_than_by_a_role() -> None:
    """Whoever has no role, which is everybody until a person decides, has the fullest cover of the policy."""
    strength = ["keep", "blur", "mosaic", "persona", "solid"]
    for policy in shipped().values():
        for role in policy.roles:
            cover = role.covers["face"]
            assert strength.index(cover.effect) <= strength.index(policy.faces.effect)
            assert (cover.scale or 0) <= policy.faces.scale
