"""The opening of a job or of a recording: secrets with which their owner later shows what the original was.

Whoever has the file can show any part of the original to be what was handed in, if they have the original
too, and can find out whether a file that they hold is it. So it is written for its owner alone, and only
when asked for.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc_api.errors import invalid
from provenance.canonical import dumps, loads
from provenance.encoding import base64_bytes
from provenance.errors import ProvenanceError
from provenance.pieces.recording import MAX_RECORDING_BYTES, Recording
from provenance.pieces.secrets import secret_of_upload
from provenance.statements import JobFacts

FORMAT = "bauta.opening/v2"
# The salt alone, as earlier versions wrote it.
_FIRST_FORMAT = "bauta.opening/v1"
_NAMES = {"format", "job", "origin", "salt", "secret"}
_FIRST_NAMES = {"format", "salt"}
_MAX_BYTES = 4096
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Opening:
    """What opens the commitments to one original.

    Attributes:
        salt: of the upload; b"" in the opening of a recording that was not handed in.
        secret: of the pieces, drawn by the device that recorded; b"" where it follows from the salt.
        job: 32 hex digits; "" where it is not known.
        origin: of the log in which the job stands; "" likewise.
    """

    salt: bytes = field(default=b"", repr=False)
    secret: bytes = field(default=b"", repr=False)
    job: str = ""
    origin: str = ""

    @property
    def pieces_secret(self) -> bytes:
        """What the pieces of the original are salted from, 32 bytes."""
        return self.secret or secret_of_upload(self.salt)

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline, without what is not known."""
        fields = {
            "job": self.job,
            "origin": self.origin,
            "salt": base64.b64encode(self.salt).decode(),
            "secret": base64.b64encode(self.secret).decode(),
        }
        return dumps({"format": FORMAT, **{name: text for name, text in fields.items() if text}}) + b"\n"

    def write(self, path: Path) -> None:
        """Writes the file, readable by its owner alone.

        Raises:
            OSError: it cannot be written.
        """
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(fd, "wb") as file:
            # A file that was there before keeps its mode otherwise.
            os.fchmod(fd, 0o600)
            file.write(self.to_bytes())


def read_opening(path: Path) -> Opening:
    """Reads an opening.

    Raises:
        ServiceError: `opening_invalid`.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        untrusted = file.read(_MAX_BYTES + 1)
    try:
        fields = loads(untrusted.removesuffix(b"\n"), _MAX_BYTES)
        if not isinstance(fields, dict) or fields.keys() - _NAMES:
            raise _refusal()
        texts = {name: _text(fields.get(name, "")) for name in _NAMES}
        is_first = texts["format"] == _FIRST_FORMAT and fields.keys() == _FIRST_NAMES
        if texts["format"] != FORMAT and not is_first:
            raise _refusal()
        salt, secret = base64_bytes(texts["salt"]), base64_bytes(texts["secret"])
    except ProvenanceError:
        raise _refusal() from None
    if {len(salt), len(secret)} - {0, _SECRET_BYTES} or not salt + secret:
        raise _refusal()
    return Opening(salt, secret, texts["job"], texts["origin"])


@dataclass(frozen=True)
class Recorded:
    """What a device said and kept when it recorded an original that is handed in.

    Attributes:
        root: of the commitment that it signed; by whom, readers check.
        secret: of the pieces.
    """

    root: bytes
    secret: bytes = field(repr=False)

    @classmethod
    def read(cls, recording: Path) -> Recorded:
        """Reads a recording's signature and, beside it, its opening.

        Raises:
            ServiceError: `opening_invalid`; `opening_missing`.
            PiecesError: the file is no recording's signature.
            OSError: it cannot be read.
        """
        with recording.open("rb") as file:
            signed = Recording.from_bytes(file.read(MAX_RECORDING_BYTES + 1).removesuffix(b"\n"))
        opening = recording.with_suffix(".opening")
        if not opening.is_file():
            raise invalid(
                "opening_missing", "The recording's opening, which has its secret, is not beside it."
            )
        kept = read_opening(opening)
        if not kept.secret:
            raise _refusal()
        return cls(signed.root, kept.secret)

    def require_same(self, facts: JobFacts) -> None:
        """Checks that the worker committed to what the device had signed.

        Raises:
            ServiceError: `recording_differs`.
        """
        if facts.pieces != self.root.hex():
            raise invalid(
                "recording_differs",
                "The result is there and sound, but the worker found another original than the device "
                "signed, or decodes it otherwise: the device's signature cannot be used for it.",
            )


def _text(untrusted: Any) -> str:
    if not isinstance(untrusted, str):
        raise _refusal()
    return untrusted


def _refusal() -> Exception:
    return invalid(
        "opening_invalid", "The opening file is not one that `bauta submit` or `bauta recording` wrote."
    )
