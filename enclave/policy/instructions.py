"""Instructions: what a submitter tells the worker alone. They travel inside the seal and nowhere else.

    {"pseudonym":"...","scope":"...","sound":"remove"}

An optional member of the preamble's line. Unlike the terms they are not in the request: the front desk does
not learn that there are any. No statement says a word of them, but for how often somebody who is enrolled was
recognized, never who.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import PreambleError
from enclave.policy.enrolment import EnrolledPerson, enrolled_from_object, require_bounded
from enclave.policy.matching import MAX_MATCHING_BYTES
from enclave.policy.review import ReviewInstructions
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

MAX_NAME_CHARACTERS = 64
SECRET_BYTES = 32
NO_SOUND = "remove"


@dataclass(frozen=True)
class Instructions:
    """What a submitter tells the worker alone.

    Attributes:
        pseudonym: under which the person in the picture appears; the same one looks the same in every video
            of its scope. Empty for a new one in each job.
        scope: within which that holds; across two, nothing links a pseudonym to itself. Both or none.
        review: for a job whose result a person reviews; None without.
        sound: "remove" takes all sound away, whatever the policy leaves of it; empty: as the policy says.
            There is no other word: nobody can ask for less than the policy gives.
        pieces_secret: 32 bytes that a device drew when it committed to the recording in pieces, so that the
            worker commits to the same; empty for one that follows from the upload's salt.
        enrolled: who has a role of the policy by being recognized. Not in the second run of a review: there
            the record says who was.

        matching: length in bytes of the encrypted templates with which those in the job are compared; 0 for
            none. Not in the second run of a review either: the first one compared.

    Raises:
        PreambleError: a name is no line of NFC text, one comes without the other, a word is another one, or
            too much is enrolled, or once more.
    """

    pseudonym: str = field(default="", repr=False)
    scope: str = field(default="", repr=False)
    review: ReviewInstructions | None = field(default=None, repr=False)
    sound: str = ""
    enrolled: tuple[EnrolledPerson, ...] = field(default=(), repr=False)
    pieces_secret: bytes = field(default=b"", repr=False)
    matching: int = 0

    def __post_init__(self) -> None:
        require_bounded(self.enrolled)
        if self.enrolled and self.review is not None and self.review.decisions:
            raise PreambleError("the record of a review says who was recognized; nobody is enrolled again")
        if not 0 <= self.matching <= MAX_MATCHING_BYTES:
            raise PreambleError(f"templates to be matched are at most {MAX_MATCHING_BYTES >> 20} MiB")
        if self.matching and self.review is not None and self.review.decisions:
            raise PreambleError("the first run of a review compared whom it saw; nobody is compared again")
        if self.sound not in {"", NO_SOUND}:
            raise PreambleError("of the sound, instructions can only say that it is removed")
        if len(self.pieces_secret) not in {0, SECRET_BYTES}:
            raise PreambleError(f"the secret of a commitment is {SECRET_BYTES} bytes")
        if bool(self.pseudonym) != bool(self.scope):
            raise PreambleError("a pseudonym needs a scope, and a scope a pseudonym")
        for name in (self.pseudonym, self.scope):
            if name and not is_name(name):
                raise PreambleError(
                    f"a pseudonym and a scope are 1 to {MAX_NAME_CHARACTERS} printable characters in NFC"
                )

    def __bool__(self) -> bool:
        return self != Instructions()

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object, without what is not said."""
        said: dict[str, Any] = {"pseudonym": self.pseudonym, "scope": self.scope, "sound": self.sound}
        if self.review is not None:
            said["review"] = self.review.to_object()
        said["pieces_secret"] = base64_text(self.pieces_secret)
        said["matching"] = self.matching
        said["enrolled"] = [person.to_object() for person in self.enrolled]
        return {key: value for key, value in said.items() if value}


def instructions_from_object(untrusted: object) -> Instructions:
    """Reads the JSON object that `Instructions.to_object` gives.

    Raises:
        PreambleError: it is another, or says nothing at all.
    """
    if not isinstance(untrusted, Mapping) or not untrusted.keys() <= {
        "enrolled",
        "matching",
        "pieces_secret",
        "pseudonym",
        "review",
        "scope",
        "sound",
    }:
        raise PreambleError(
            "instructions hold enrolled, matching, pieces_secret, pseudonym, review, scope and sound, and "
            "nothing else"
        )
    pseudonym, scope, sound = (untrusted.get(key, "") for key in ("pseudonym", "scope", "sound"))
    if not isinstance(pseudonym, str) or not isinstance(scope, str) or not isinstance(sound, str):
        raise PreambleError("a pseudonym, a scope and what is said of the sound are text")
    try:
        secret = base64_bytes(untrusted.get("pieces_secret", ""))
    except FormatError:
        raise PreambleError("the secret of a commitment is not base64") from None
    matching = untrusted.get("matching", 0)
    if type(matching) is not int:
        raise PreambleError("the length of what is matched is a whole number")
    untrusted_review = untrusted.get("review")
    instructions = Instructions(
        pseudonym=pseudonym,
        scope=scope,
        review=None if untrusted_review is None else ReviewInstructions.from_object(untrusted_review),
        sound=sound,
        enrolled=enrolled_from_object(untrusted.get("enrolled", [])),
        pieces_secret=secret,
        matching=matching,
    )
    # One form for each meaning: what is not said has no key, and no empty text either.
    if not instructions or instructions.to_object() != untrusted:
        raise PreambleError("instructions say something, and nothing empty")
    return instructions


def is_name(text: str) -> bool:
    """Whether a text can be a pseudonym or a scope: one line, in one spelling, without blanks around it.

    Two spellings of one name (a letter and its accent apart, or together) would be two faces.
    """
    return (
        0 < len(text) <= MAX_NAME_CHARACTERS
        and text.isprintable()
        and text == text.strip()
        and unicodedata.is_normalized("NFC", text)
    )
