"""What a witness keeps on its disk: the last tree head of each log, what it cosigned, and evidence.

    key                        the private keys, and the name that they sign under
    lock                       held while a witness runs
    logs/HASH/remembered       the last tree head, as the log signed it; durable before any cosignature exists
    logs/HASH/checkpoint       the same with our cosignatures, as it was answered
    evidence/KIND-HASH-SIZE-ROOT.json

HASH is the SHA-256 of the log's origin in hex. Whoever removes `logs` makes the witness forget, and a witness
that forgets will sign a second history.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grpc_api.errors import precondition
from provenance import canonical
from provenance.checkpoint import CheckpointText
from provenance.encoding import base64_text
from provenance.errors import FormatError, LogError
from provenance.note import parse_note
from provenance.tiles.files import FolderFiles
from provenance.witness.errors import RefusedError
from provenance.witness.known_logs import KnownLogs
from provenance.witness.memory import Grievance, SignedHead, read_head

EVIDENCE_FORMAT = "bauta.witness-evidence/v1"
# Proof of a fork must find room even where a stranger has filled the folder with questions.
MAX_PROOFS = 64
MAX_QUESTIONS = 64
_MAX_EVIDENCE_BYTES = 1 << 20


@dataclass(frozen=True)
class WitnessFolder:
    """One witness's disk.

    Attributes:
        root: its own folder, mode 0700.
    """

    root: Path

    @property
    def key_file(self) -> Path:
        """The private keys."""
        return self.root / "key"

    @property
    def _logs(self) -> FolderFiles:
        return FolderFiles(self.root / "logs")

    @property
    def _evidence(self) -> Path:
        return self.root / "evidence"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps a second witness out: two of them with one memory would not be one witness.

        Raises:
            ServiceError: `witness_running`.
            OSError: the folder cannot be made or written.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        fd = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise precondition(
                    "witness_running", "Another witness runs on this data folder; stop it first."
                ) from None
            yield
        finally:
            os.close(fd)

    def remembered(self, origin: str, logs: KnownLogs) -> SignedHead | None:
        """The last tree head of a log; None before the first one.

        Raises:
            ServiceError: `witness_memory_damaged`.
        """
        try:
            note = self._logs.read(f"{origin_hash(origin)}/remembered")
            if note is None:
                return None
            try:
                head = read_head(note, logs)
            except RefusedError:
                # Signed by keys that the log had earlier; its size and root bind us all the same.
                parsed = parse_note(note)
                head = SignedHead(CheckpointText.parse_extended(parsed.text.encode()), parsed.lines, None)
            if head.text.origin != origin:
                raise FormatError("the remembered tree head is of another log")
        except (FormatError, LogError):
            raise precondition(
                "witness_memory_damaged",
                "What this witness remembers of a log cannot be read. Do not remove it: a witness that "
                "forgets will sign a second history.",
            ) from None
        return head

    def remember(self, head: SignedHead) -> None:
        """Keeps a tree head, durably.

        Raises:
            LogError: it is not; nothing may be signed.
        """
        self._logs.write({f"{origin_hash(head.text.origin)}/remembered": head.note()})

    def publish(self, origin: str, note: bytes) -> None:
        """Keeps a checkpoint with our cosignatures, durably.

        Raises:
            LogError: it is not.
        """
        self._logs.write({f"{origin_hash(origin)}/checkpoint": note})

    def published(self, hashed_origin: str) -> bytes | None:
        """The last checkpoint with our cosignatures; None if there is none.

        Raises:
            LogError: it cannot be read.
        """
        return self._logs.read(f"{hashed_origin}/checkpoint")

    def keep_evidence(self, found: Grievance, seen_at: int) -> Path | None:
        """Keeps two tree heads that do not go together, once.

        Args:
            found: both, as their log signed them.
            seen_at: POSIX seconds on our clock.

        Returns:
            The file; None where it is there already, or every place for its kind is taken.

        Raises:
            LogError: it cannot be written.
        """
        name = _evidence_name(found.kind, found.offered.text)
        is_question = found.kind == "rewrite"
        there = [path for path in self.evidence() if (path.name.startswith("rewrite-")) == is_question]
        if len(there) >= (MAX_QUESTIONS if is_question else MAX_PROOFS):
            return None
        if (self._evidence / name).exists():
            return None
        document = {
            "format": EVIDENCE_FORMAT,
            "kind": found.kind,
            "origin": found.offered.text.origin,
            "seen_at": seen_at,
            "known": found.known.note().decode(),
            "offered": found.offered.note().decode(),
            "old_size": found.offered_old_size,
            "proof": [base64_text(item) for item in found.offered_proof],
        }
        content = json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"
        FolderFiles(self._evidence).write({name: content})
        return self._evidence / name

    def settle(self, text: CheckpointText) -> None:
        """Drops a question that has been answered: this tree turned out to continue the known one."""
        (self._evidence / _evidence_name("rewrite", text)).unlink(missing_ok=True)

    def evidence(self) -> list[Path]:
        """Every file of evidence, by name."""
        return sorted(self._evidence.glob("*.json"))


def read_evidence(path: Path) -> dict[str, Any]:
    """Reads a file of evidence as it stands.

    Raises:
        FormatError: it is none.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        document = canonical.loads_relaxed(file.read(_MAX_EVIDENCE_BYTES + 1), _MAX_EVIDENCE_BYTES)
    if not isinstance(document, dict) or document.get("format") != EVIDENCE_FORMAT:
        raise FormatError("a file in the folder of evidence is none")
    return document


def origin_hash(origin: str) -> str:
    """How c2sp.org/tlog-witness names a log in a path."""
    return hashlib.sha256(origin.encode()).hexdigest()


def _evidence_name(kind: str, text: CheckpointText) -> str:
    return f"{kind}-{origin_hash(text.origin)[:16]}-{text.size}-{text.root.hex()[:16]}.json"
