"""What becomes of the file besides its picture: sound, metadata, sensor noise, coding, and the proof."""

from __future__ import annotations

import re
from dataclasses import dataclass

from enclave.errors import PolicyError
from enclave.policy.fields import Table
from provenance.keys import STATEMENT_SIGNATURES, STATEMENT_SUITE

KEEP, ANONYMIZE, REMOVE = "keep", "anonymize", "remove"
# From the weakest to the strongest.
AUDIO_EFFECTS = (KEEP, ANONYMIZE, "bleep", REMOVE)
RECOGNIZERS = ("pocketsphinx",)
MAX_WORDS = 1000
MAX_WORD_CHARACTERS = 40
# As a recognizer's dictionary spells them (anonymizer/words/classes.py).
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")
CAPTURED = (REMOVE, "month")
EVIDENCE = ("lossless",)
SUPPRESS = "suppress"
SENSOR_NOISE = (KEEP, SUPPRESS)
NO_CREDENTIALS = "none"
CREDENTIALS = (NO_CREDENTIALS, "c2pa")


@dataclass(frozen=True)
class AudioPolicy:
    """What happens to sound.

    Attributes:
        effect: what becomes of a voice: "anonymize" gives it another one that says the same, "bleep" puts a
            tone in its place, "remove" the faint noise of an empty room; "keep" lets all sound through.
        words: spoken words that are bleeped, or classes of them (docs/policies.md); empty for none.
        recognizer: the program that looks for them; empty where there are none.
    """

    effect: str
    words: tuple[str, ...] = ()
    recognizer: str = ""


@dataclass(frozen=True)
class MetadataPolicy:
    """What a result may still say about itself; all else that a file tells is removed, always.

    Attributes:
        captured: "month" keeps the month in which the original says that it was captured; "remove" does not.
    """

    captured: str = REMOVE


@dataclass(frozen=True)
class CameraPolicy:
    """What happens to what ties a picture to one camera, besides what its file says.

    Attributes:
        noise: "suppress" takes the fixed noise of the sensor out of the whole picture, as far as can be;
            "keep" does not.
    """

    noise: str = KEEP


@dataclass(frozen=True)
class EncodingPolicy:
    """How the result of a video is coded.

    Attributes:
        lossless: outside the covers every pixel is that of the original, bit for bit.
    """

    lossless: bool = False


@dataclass(frozen=True)
class ProofPolicy:
    """What the proof must withstand.

    Attributes:
        signatures: the algorithms that sign the evidence and the statement, in the order in which signatures
            stand: "ed25519" and "mldsa65" always, and "slhdsa128s" for a proof that must last decades.
        credentials: "c2pa" puts content credentials into the result: whoever has the file alone then learns
            which service made it and where its log says so, and with that when. "none" does not.
    """

    signatures: tuple[str, ...] = STATEMENT_SUITE
    credentials: str = NO_CREDENTIALS

    @property
    def wants_credentials(self) -> bool:
        """Whether the result shall carry a manifest."""
        return self.credentials != NO_CREDENTIALS


def read_audio(table: Table) -> AudioPolicy:
    """Reads `[audio]`.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    effect = table.choice("effect", AUDIO_EFFECTS)
    words = table.lines("words", MAX_WORDS, MAX_WORD_CHARACTERS) if table.has("words") else ()
    recognizer = table.choice("recognizer", RECOGNIZERS) if table.has("recognizer") else ""
    table.finish()
    if not all(_WORD.fullmatch(word.lower()) for word in words):
        raise PolicyError("policy: audio.words must be single words of English letters")
    if bool(words) != bool(recognizer):
        raise PolicyError("policy: audio.words need audio.recognizer, and it needs words")
    if words and effect == REMOVE:
        raise PolicyError("policy: audio.words have no meaning where all sound is removed")
    return AudioPolicy(effect=effect, words=words, recognizer=recognizer)


def read_metadata(table: Table | None) -> MetadataPolicy:
    """Reads `[metadata]`, which may be left out.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return MetadataPolicy()
    captured = table.choice("captured", CAPTURED)
    table.finish()
    return MetadataPolicy(captured=captured)


def read_camera(table: Table | None) -> CameraPolicy:
    """Reads `[camera]`, which may be left out.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return CameraPolicy()
    noise = table.choice("noise", SENSOR_NOISE)
    table.finish()
    return CameraPolicy(noise=noise)


def read_encoding(table: Table | None) -> EncodingPolicy:
    """Reads `[encoding]`, which may be left out.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return EncodingPolicy()
    lossless = table.flag("lossless")
    table.finish()
    return EncodingPolicy(lossless=lossless)


def read_proof(table: Table | None) -> ProofPolicy:
    """Reads `[proof]`, which may be left out.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return ProofPolicy()
    # A table that says nothing at all is a mistake; one that speaks of something else keeps the default.
    unsaid = STATEMENT_SUITE if table.has("credentials") else None
    named = table.choices("signatures", STATEMENT_SIGNATURES, unsaid)
    if not set(STATEMENT_SUITE) <= set(named):
        raise PolicyError(f"policy: proof.signatures must hold {' and '.join(STATEMENT_SUITE)}")
    credentials = table.choice("credentials", CREDENTIALS, NO_CREDENTIALS)
    table.finish()
    return ProofPolicy(
        signatures=tuple(name for name in STATEMENT_SIGNATURES if name in named), credentials=credentials
    )
