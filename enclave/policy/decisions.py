"""What a policy leaves to people: the roles that somebody may have, and what a reviewer may decide."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from enclave.errors import PolicyError
from enclave.policy.covers import FACE_EFFECTS, PEOPLE_EFFECTS, SHAPES, TEXT_EFFECTS
from enclave.policy.fields import Table
from enclave.policy.results import AUDIO_EFFECTS

# Decisions that never show more than the policy does by itself: always allowed.
COVERING = ("cover", "stronger", "whole_frame", "draw", "mute")
# Those that may show more: only where the policy says so.
SHOWING = ("keep", "role", "effect")
KEPT = "keep"
MAX_ROLES = 8

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_TABLES = (("faces", "face", FACE_EFFECTS), ("people", "person", PEOPLE_EFFECTS))
VOICE = "voice"
_EFFECTS = {
    "face": FACE_EFFECTS,
    "person": PEOPLE_EFFECTS,
    "text": TEXT_EFFECTS,
    "plate": TEXT_EFFECTS,
    VOICE: AUDIO_EFFECTS,
}


@dataclass(frozen=True)
class RoleCover:
    """How one kind of thing is covered where somebody has a role.

    Attributes:
        effect: one of the kind's effects, or "keep": it stays visible.
        shape: None as the policy says for everybody.
        scale: likewise.
    """

    effect: str
    shape: str | None = None
    scale: float | None = None


@dataclass(frozen=True)
class RolePolicy:
    """A role that a person in the picture may have. Nobody has one unless somebody decides or is enrolled so.

    Attributes:
        name: short name, a-z, 0-9 and hyphens.
        covers: what differs from what holds for everybody, by kind: "face", "person".
        enrolled: whether somebody who is enrolled has it wherever their face is recognized.
        audio: what becomes of their voice, one of `results.AUDIO_EFFECTS`; None as of everybody's.
    """

    name: str
    covers: Mapping[str, RoleCover]
    audio: str | None = None
    enrolled: bool = False


@dataclass(frozen=True)
class ReviewPolicy:
    """What a person who looks over the result may decide.

    Attributes:
        may: words of COVERING and SHOWING.
        effects: for "effect": which, by kind; "voice" among them.
    """

    may: tuple[str, ...] = COVERING
    effects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def voice_effects(self, usual: str) -> tuple[str, ...]:
        """Gives the effects that may be chosen for a speaker, from the weakest to the strongest.

        Whoever may look over a result may always let less be heard; what lets more be heard is named.

        Args:
            usual: what becomes of everybody's voice.
        """
        no_weaker = AUDIO_EFFECTS[AUDIO_EFFECTS.index(usual) :]
        named = self.effects.get(VOICE, ())
        return tuple(effect for effect in AUDIO_EFFECTS if effect in no_weaker or effect in named)


def read_roles(tables: list[Table]) -> tuple[RolePolicy, ...]:
    """Reads `[[roles]]`.

    Raises:
        PolicyError: a key is missing, unknown or wrong, or two roles have one name.
    """
    roles = tuple(_role(table) for table in tables)
    if len({role.name for role in roles}) != len(roles):
        raise PolicyError("policy: two roles have one name")
    return roles


def read_role_name(table: Table, key: str) -> str:
    """Reads the name of a role.

    Raises:
        PolicyError: it is none.
    """
    name = table.text(key, 32)
    if not _NAME.fullmatch(name):
        raise PolicyError(f"policy: {key} must be a lower-case letter, then letters, digits or hyphens")
    return name


def read_review(table: Table | None) -> ReviewPolicy:
    """Reads `[review]`.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return ReviewPolicy()
    may = table.choices("may", (*COVERING, *SHOWING))
    # Whoever may look over a result may always hide more of it.
    may = tuple(word for word in (*COVERING, *SHOWING) if word in may or word in COVERING)
    allowed = table.optional_table("effects")
    effects: dict[str, tuple[str, ...]] = {}
    if allowed is not None:
        effects = {kind: allowed.choices(kind, of) for kind, of in _EFFECTS.items() if allowed.has(kind)}
        allowed.finish()
    table.finish()
    if ("effect" in may) != bool(effects):
        raise PolicyError('policy: review.may names "effect" if and only if review.effects names some')
    return ReviewPolicy(may, effects)


def _role(table: Table) -> RolePolicy:
    name = read_role_name(table, "name")
    covers = {}
    for key, kind, effects in _TABLES:
        cover = table.optional_table(key)
        if cover is not None:
            covers[kind] = _role_cover(cover, (*effects, KEPT))
    voice = table.optional_table("audio")
    audio = voice.choice("effect", AUDIO_EFFECTS) if voice is not None else None
    if voice is not None:
        voice.finish()
    enrolled = table.has("enrolled") and table.flag("enrolled")
    table.finish()
    if enrolled and covers.keys() != {"face"}:
        raise PolicyError(
            "policy: who is enrolled is recognized by their face: the role speaks of faces alone"
        )
    if not covers and audio is None:
        raise PolicyError("policy: a role says something of faces, of people or of voices")
    return RolePolicy(name, covers, audio, enrolled)


def _role_cover(table: Table, effects: tuple[str, ...]) -> RoleCover:
    cover = RoleCover(
        effect=table.choice("effect", effects),
        shape=table.choice("shape", SHAPES) if table.has("shape") else None,
        scale=table.number("scale", 1.0, 3.0) if table.has("scale") else None,
    )
    table.finish()
    if cover.effect == KEPT and (cover.shape, cover.scale) != (None, None):
        raise PolicyError("policy: what is kept has neither shape nor scale")
    return cover
