"""A recognizer that is installed, loaded and checked once, in the warm parent.

pocketsphinx (BSD) comes with a model of American English. It reads its files when it is made, and none when
it hears: a child behind the wall uses its copy of what the parent made. Its free reading of all words is
what we use, and the words on a list are picked from it: sought alone, the same words were found no more
often, and 33 times a minute where nobody had said them (docs/sound.md).
"""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from anonymizer.errors import AnonymizerError

PACKAGE: Final = "pocketsphinx"
FOLDER: Final = "model/en-us"
LANGUAGE: Final = "en-us.lm.bin"
DICTIONARY: Final = "cmudict-en-us.dict"
SOUNDS: Final = "en-us"
FILES: Final = (
    DICTIONARY,
    LANGUAGE,
    "en-us/feat.params",
    "en-us/mdef",
    "en-us/means",
    "en-us/noisedict",
    "en-us/sendump",
    "en-us/transition_matrices",
    "en-us/variances",
)
# Of the lines that `sha256sum` prints for them, in that order.
PINNED_SHA256: Final = "5732e59fd89786e4a3cd9762e84e52b804375c0786b7ae823d69dede133b2629"


@dataclass(frozen=True)
class Recognizer:
    """Ready to hear. One at a time uses it: a job's child has its own copy.

    Attributes:
        decoder: the package's own.
        sha256: the digest over all files, hexadecimal.
    """

    decoder: Any = field(repr=False)
    sha256: str

    def knows(self, word: str) -> bool:
        """Says whether a word can be heard at all: one that the dictionary lacks is never found."""
        return self.decoder.lookup_word(word) is not None


def load_recognizer() -> Recognizer | None:
    """Loads the recognizer; None where it is not installed. Call it once, before forking.

    Raises:
        AnonymizerError: model_digest_mismatch; model_unusable.
    """
    package = importlib.util.find_spec(PACKAGE)
    places = (package.submodule_search_locations or []) if package else []
    folder = next((Path(place) / FOLDER for place in places if (Path(place) / FOLDER).is_dir()), None)
    if folder is None:
        return None
    digest = digest_of(folder)
    if digest != PINNED_SHA256:
        raise AnonymizerError("model_digest_mismatch")
    import pocketsphinx

    try:
        decoder = pocketsphinx.Decoder(
            hmm=str(folder / SOUNDS),
            lm=str(folder / LANGUAGE),
            dict=str(folder / DICTIONARY),
            # Each utterance by itself: else what is heard would depend on what was heard before.
            cmn="batch",
            # It would tell what it hears to standard error.
            loglevel="FATAL",
        )
    except (RuntimeError, ValueError):
        raise AnonymizerError("model_unusable") from None
    return Recognizer(decoder, digest)


def digest_of(folder: Path) -> str:
    """Returns the digest over the recognizer's files in a folder, hexadecimal.

    Raises:
        AnonymizerError: model_digest_mismatch, where one is missing.
    """
    whole = hashlib.sha256()
    for name in FILES:
        try:
            of_file = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError:
            raise AnonymizerError("model_digest_mismatch") from None
        whole.update(f"{of_file}  {name}\n".encode())
    return whole.hexdigest()
