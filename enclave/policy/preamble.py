"""The first bytes inside a sealed upload: the salt and the terms; the media follows to the end.

    bauta.upload/v1\\n
    {"instructions":{...},"salt":"<base64 of 32 bytes>","terms":{...}}\\n
    <the record of a review><pictures of people who are enrolled><encrypted templates><media>

What stands before the media is there where the instructions announce it. Two lines of text, so that a person
can make an upload with a shell and `age`. Without instructions, which is the common case, the second line has
no such key.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from enclave.errors import PreambleError
from enclave.policy.enrolment import pictures_bytes
from enclave.policy.instructions import Instructions, instructions_from_object
from enclave.policy.terms import Terms, terms_from_object
from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

MAGIC = b"bauta.upload/v1\n"
SALT_BYTES = 32
MAX_HEADER_BYTES = 1 << 20
MAX_PREAMBLE_BYTES = len(MAGIC) + MAX_HEADER_BYTES


@dataclass(frozen=True)
class UploadPreamble:
    """What stands before the media.

    Attributes:
        terms: what the submitter asks for.
        salt: 32 random bytes, chosen by the submitter; never leaves the seal.
        instructions: what the submitter tells the worker alone; never leave the seal either.
        header_bytes: of the two lines, from the start of the plaintext.
    """

    terms: Terms
    salt: bytes = field(repr=False)
    instructions: Instructions = field(repr=False)
    header_bytes: int

    @property
    def record_bytes(self) -> int:
        """Length of the record that follows the two lines; 0 for none."""
        return self.instructions.review.record_bytes if self.instructions.review is not None else 0

    @property
    def pictures_bytes(self) -> int:
        """Length of the pictures of everybody who is enrolled, which follow that; 0 for none."""
        return pictures_bytes(self.instructions.enrolled)

    @property
    def matching_bytes(self) -> int:
        """Length of the encrypted templates that are matched, which follow those; 0 for none."""
        return self.instructions.matching

    @property
    def size(self) -> int:
        """Bytes from the start of the plaintext to the first byte of the media."""
        return self.header_bytes + self.record_bytes + self.pictures_bytes + self.matching_bytes


def upload_preamble(terms: Terms, salt: bytes, instructions: Instructions | None = None) -> bytes:
    """Writes the two lines; what the instructions announce, and then the media, follow directly.

    Args:
        terms: what is asked for.
        salt: 32 fresh random bytes.
        instructions: for the worker alone.

    Raises:
        PreambleError: the salt has another length, or the header grows too large.
    """
    if len(salt) != SALT_BYTES:
        raise PreambleError(f"the salt must be {SALT_BYTES} bytes")
    said = {"instructions": instructions.to_object()} if instructions else {}
    header = canonical.dumps({**said, "salt": base64_text(salt), "terms": terms.to_object()}) + b"\n"
    if len(header) > MAX_HEADER_BYTES:
        raise PreambleError(f"the header is larger than {MAX_HEADER_BYTES} bytes")
    return MAGIC + header


def parse_preamble(untrusted: bytes) -> UploadPreamble:
    """Reads the preamble at the start of a plaintext.

    Args:
        untrusted: the first `MAX_PREAMBLE_BYTES` of the plaintext, or all of it when it is shorter.

    Raises:
        TermsError: a `PreambleError`, or what `parse_terms` raises.
    """
    if not untrusted.startswith(MAGIC):
        raise PreambleError("the upload does not start with bauta.upload/v1")
    end = untrusted.find(b"\n", len(MAGIC), MAX_PREAMBLE_BYTES)
    if end < 0:
        raise PreambleError("the upload's header line does not end")
    try:
        untrusted_header = canonical.loads(untrusted[len(MAGIC) : end], MAX_HEADER_BYTES)
        if not isinstance(untrusted_header, dict) or untrusted_header.keys() - {"instructions"} != {
            "salt",
            "terms",
        }:
            raise PreambleError("the upload's header holds a salt, terms and instructions, and nothing else")
        salt = base64_bytes(untrusted_header["salt"])
    except FormatError:
        raise PreambleError("the upload's header is not canonical JSON") from None
    if len(salt) != SALT_BYTES:
        raise PreambleError(f"the salt must be {SALT_BYTES} bytes")
    instructions = (
        instructions_from_object(untrusted_header["instructions"])
        if "instructions" in untrusted_header
        else Instructions()
    )
    terms = terms_from_object(untrusted_header["terms"])
    return UploadPreamble(terms=terms, salt=salt, instructions=instructions, header_bytes=end + 1)
