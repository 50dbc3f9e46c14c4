"""The sounds that the voice is made of: the 39 phones of the CMU dictionary and silence, three parts each.

pocketsphinx, flite and espeak-ng each write them in their own way. All three are brought to one list here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

PHONES: Final = (
    *(
        "SIL",
        "AA",
        "AE",
        "AH",
        "AO",
        "AW",
        "AY",
        "B",
        "CH",
        "D",
        "DH",
        "EH",
        "ER",
        "EY",
        "F",
        "G",
        "HH",
        "IH",
    ),
    *("IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W"),
    *("Y", "Z", "ZH"),
)
# Begin, middle and end of a phone: what a diphthong or a plosive does takes place between them.
PARTS: Final = 3
CLASSES: Final = len(PHONES) * PARTS
_NUMBERS: Final = {phone: number for number, phone in enumerate(PHONES)}
# What flite and pocketsphinx write for sounds that stand under another name above.
_ALIASES: Final = {"AX": "AH", "PAU": "SIL", "SPN": "SIL", "NSN": "SIL", "<SIL>": "SIL"}
# espeak-ng's mnemonics of American English.
_ESPEAK: Final[dict[str, tuple[str, ...]]] = {
    "@": ("AH",), "a": ("AE",), "a#": ("AH",), "I": ("IH",), "i": ("IY",), "I2": ("IH",), "I#": ("IH",),
    "E": ("EH",), "E2": ("EH",), "E#": ("EH",), "0": ("AA",), "0#": ("AH",), "O": ("AO",), "O:": ("AO",),
    "O2": ("AO",), "V": ("AH",), "U": ("UH",), "u": ("UW",), "u:": ("UW",), "i:": ("IY",), "A:": ("AA",),
    "A#": ("AA",), "A@": ("AA", "R"), "3": ("ER",), "3:": ("ER",), "I@": ("IH", "R"), "I@3": ("IH", "R"),
    "e@": ("EH", "R"), "U@": ("UH", "R"), "O@": ("AO", "R"), "o@": ("AO", "R"), "aI@": ("AY", "ER"),
    "aI3": ("AY", "ER"), "@-": ("AH",), "aI@3": ("AY", "ER"), "aU@": ("AW", "ER"), "i@": ("IY", "AH"),
    "i@3": ("IY", "ER"), "aI": ("AY",), "aU": ("AW",), "eI": ("EY",), "OI": ("OY",), "oU": ("OW",),
    "oU#": ("OW",), "aa": ("AE",), "@L": ("AH", "L"), "@2": ("AH",), "@5": ("AH",), "n-": ("AH", "N"),
    "m-": ("AH", "M"), "r-": ("ER",), "p": ("P",), "b": ("B",), "t": ("T",), "d": ("D",), "k": ("K",),
    "g": ("G",), "f": ("F",), "v": ("V",), "T": ("TH",), "D": ("DH",), "s": ("S",), "z": ("Z",),
    "S": ("SH",), "Z": ("ZH",), "h": ("HH",), "m": ("M",), "n": ("N",), "N": ("NG",), "l": ("L",),
    "l/": ("L",), "l#": ("L",), "r": ("R",), "r/": ("R",), "w": ("W",), "j": ("Y",), "tS": ("CH",),
    "dZ": ("JH",), "t2": ("D",), "t#": ("D",), "*": ("D",), "x": ("K",), "?": ("SIL",), "_": ("SIL",),
    "_:": ("SIL",), "_!": ("SIL",), "_|": ("SIL",), "": ("SIL",),
}  # fmt: skip


@dataclass(frozen=True)
class Sounding:
    """One phone as it was spoken.

    Attributes:
        phone: its number in PHONES.
        begin, end: seconds.
    """

    phone: int
    begin: float
    end: float


def number_of(name: str) -> int:
    """Returns the number of a phone by the name that flite or pocketsphinx gives it.

    Raises:
        KeyError: it is no phone of English.
    """
    upper = name.upper()
    return _NUMBERS[_ALIASES.get(upper, upper)]


def from_espeak(mnemonic: str, begin: float, end: float) -> list[Sounding]:
    """Returns what one of espeak-ng's phonemes is here: one phone, or two that share its time.

    Raises:
        KeyError: it is no phoneme of American English.
    """
    names = _ESPEAK[mnemonic.lstrip("',%=;|")]
    length = (end - begin) / len(names)
    return [
        Sounding(_NUMBERS[name], begin + place * length, begin + (place + 1) * length)
        for place, name in enumerate(names)
    ]


def classes_of(soundings: list[Sounding], count: int, step: float, otherwise: int = 0) -> NDArray[np.int64]:
    """Says which part of which phone sounds in each step.

    Args:
        soundings: in the order of time.
        count: of steps.
        step: seconds.
        otherwise: what holds where nothing is said to sound: silence, or -1 for whatever it may be.

    Returns:
        (count,) numbers below CLASSES.
    """
    classes = np.full(count, otherwise, np.int64)
    for each in soundings:
        places = np.arange(max(0, round(each.begin / step)), min(count, round(each.end / step)))
        through = ((places + 0.5) * step - each.begin) / max(each.end - each.begin, step)
        classes[places] = each.phone * PARTS + np.clip(through * PARTS, 0, PARTS - 1).astype(np.int64)
    return classes
