"""Who a persona is: everything about its looks follows from a seed of 32 bytes, and from nothing else."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from anonymizer.effects.persona.meshes import Colour

Hair = Literal["crop", "parted", "quiff", "curls", "bob", "long", "bun", "tails", "beanie", "bald"]
Beard = Literal["none", "stubble", "moustache", "goatee", "full"]
Glasses = Literal["none", "round", "square"]

_HAIR: Final[tuple[Hair, ...]] = (
    *("crop", "parted", "quiff", "curls", "bob", "long"),
    *("bun", "tails", "beanie", "bob", "long"),
)
_HAIR_WITH_BEARD: Final[tuple[Hair, ...]] = (
    *("crop", "parted", "quiff", "curls"),
    *("beanie", "bald", "parted", "quiff"),
)
_BEARDS: Final[tuple[Beard, ...]] = ("stubble", "moustache", "goatee", "full")
_GLASSES: Final[tuple[Glasses, ...]] = ("none", "none", "none", "round", "square")
_FRAMES: Final[tuple[Colour, ...]] = ((58, 48, 52), (120, 62, 48), (196, 158, 92), (66, 84, 120))

_T = TypeVar("_T")

# Skins from light to dark with the warm red that cheeks and lips take up.
SKINS: Final[tuple[Colour, ...]] = (
    (250, 221, 200),
    (244, 206, 178),
    (232, 187, 152),
    (216, 165, 126),
    (193, 139, 100),
    (164, 112, 78),
    (140, 94, 68),
    (112, 74, 55),
)
# Half of them grow on nobody: a persona shall not be taken for a person.
HAIRS: Final[tuple[Colour, ...]] = (
    (52, 38, 34),
    (92, 58, 40),
    (146, 96, 58),
    (214, 166, 98),
    (186, 84, 48),
    (176, 172, 178),
    (58, 98, 132),
    (66, 134, 128),
    (142, 104, 168),
    (214, 116, 120),
    (232, 148, 92),
    (88, 92, 150),
)
IRISES: Final[tuple[Colour, ...]] = (
    (104, 66, 40),
    (138, 92, 48),
    (110, 122, 60),
    (70, 128, 96),
    (70, 118, 168),
    (104, 136, 160),
    (128, 98, 160),
)
CLOTHS: Final[tuple[Colour, ...]] = (
    (226, 108, 88),
    (240, 180, 84),
    (92, 156, 140),
    (84, 122, 178),
    (148, 108, 164),
    (232, 226, 214),
    (70, 78, 98),
)


@dataclass(frozen=True, repr=False)
class Look:
    """How a persona looks. Lengths are shares around 1 unless said otherwise."""

    skin: Colour
    hair_colour: Colour
    iris: Colour
    cloth: Colour
    hair: Hair
    beard: Beard
    glasses: Glasses
    glasses_colour: Colour
    earrings: bool
    freckles: float
    blush: float
    lip_red: float
    face_width: float
    jaw: float
    chin: float
    cheeks: float
    eye_size: float
    eye_apart: float
    eye_tilt: float
    brow_weight: float
    brow_arch: float
    nose_width: float
    nose_length: float
    nose_height: float
    mouth_size: float
    lip_fullness: float
    ears: float
    parting: float
    strands: int


class Draws:
    """Numbers from a seed, each by its own name: a new one changes no other."""

    def __init__(self, seed: bytes) -> None:
        """Takes 32 bytes."""
        self._seed = seed

    def share(self, name: str) -> float:
        """Returns a number from 0 to below 1."""
        digest = hmac.new(self._seed, b"bauta.persona/v1:" + name.encode(), hashlib.sha256).digest()
        return int.from_bytes(digest[:6], "big") / 2**48

    def between(self, name: str, low: float, high: float) -> float:
        """Returns a number within bounds, those in the middle more often."""
        return low + (high - low) * (self.share(name) + self.share(name + " again")) / 2

    def one_of(self, name: str, choices: Sequence[_T]) -> _T:
        """Returns one of some choices."""
        return choices[int(self.share(name) * len(choices))]


def look_of(seed: bytes) -> Look:
    """Returns the looks that belong to a seed of 32 bytes."""
    draws = Draws(seed)
    bearded = draws.share("bearded") < 0.3
    hair = draws.one_of("hair", _HAIR_WITH_BEARD if bearded else _HAIR)
    return Look(
        skin=draws.one_of("skin", SKINS),
        hair_colour=draws.one_of("hair colour", HAIRS),
        iris=draws.one_of("iris", IRISES),
        cloth=draws.one_of("cloth", CLOTHS),
        hair=hair,
        beard=draws.one_of("beard", _BEARDS) if bearded else "none",
        glasses=draws.one_of("glasses", _GLASSES),
        glasses_colour=draws.one_of("frame", _FRAMES),
        earrings=not bearded and draws.share("earrings") < 0.3,
        freckles=max(0.0, draws.share("freckles") - 0.65) / 0.35,
        blush=draws.between("blush", 0.3, 1.0),
        lip_red=draws.between("lip red", 0.0, 1.0) * (0.3 if bearded else 1.0),
        face_width=draws.between("face width", 0.93, 1.07),
        jaw=draws.between("jaw", 0.86, 1.14),
        chin=draws.between("chin", 0.85, 1.15),
        cheeks=draws.between("cheeks", 0.5, 1.5),
        eye_size=draws.between("eye size", 0.9, 1.13),
        eye_apart=draws.between("eye apart", 0.94, 1.06),
        eye_tilt=draws.between("eye tilt", -0.06, 0.13),
        brow_weight=draws.between("brow weight", 0.6, 1.4),
        brow_arch=draws.between("brow arch", 0.3, 1.5),
        nose_width=draws.between("nose width", 0.8, 1.25),
        nose_length=draws.between("nose length", 0.85, 1.15),
        nose_height=draws.between("nose height", 0.75, 1.25),
        mouth_size=draws.between("mouth size", 0.86, 1.16),
        lip_fullness=draws.between("lip fullness", 0.7, 1.35),
        ears=draws.between("ears", 0.85, 1.15),
        parting=draws.share("parting") * 2 - 1,
        strands=int(draws.share("strands") * 2**31),
    )
