"""What a job under a reversible policy left behind: ciphertext in files, the rest in one small document.

Apart from the spool: a submitter who fetches a result and deletes the job does not take away what custodians
may be asked for. Only an erasure of everything does.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import grpc

from grpc_api.durable import sync_folder
from grpc_api.errors import ServiceError
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.seals import SEALED_SHARE_BYTES
from keyvault.custody.sharing import Sharing
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import PackageReader
from provenance import canonical
from provenance.dsse import Envelope
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

FORMAT = "bauta.kept/v1"
# A policy of 256 KiB, terms of twice that, and 64 shares.
MAX_KEPT_BYTES = 4 << 20
READ_BYTES = 256 << 10
_JOB_ID = re.compile(r"[0-9a-f]{32}")
_DOCUMENT, _PACKAGE, _SHEET = "kept.json", "package", "sheet.age"
_FIELDS = {
    "custody_policy",
    "evidence",
    "format",
    "job_id",
    "kept_at",
    "log_index",
    "owner",
    "shares",
    "sharing",
    "statement",
    "terms",
}


@lru_cache(maxsize=32)
def read_policy(text: str) -> CustodyPolicy:
    """Reads a custody policy that was checked when its job came in: often the same few."""
    return parse_custody_policy(text)


@dataclass(frozen=True)
class Kept:
    """What belongs to one job's recovery, but for the two large files.

    Attributes:
        job_id: 32 hex digits.
        owner: the identity that handed the job in (`grpc_api.identity`).
        terms: canonical JSON; they name the recipients of the result.
        custody_policy: TOML.
        sharing: canonical JSON.
        shares: sealed shares by the hex digest of their custodian's keys.
        statement: the job's envelope.
        evidence: the envelope that certifies who signed it.
        log_index: of the statement.
        kept_at: seconds since 1970.
    """

    job_id: str
    owner: str
    terms: bytes
    custody_policy: str
    sharing: bytes
    shares: Mapping[str, bytes]
    statement: bytes
    evidence: bytes
    log_index: int
    kept_at: float

    @property
    def policy(self) -> CustodyPolicy:
        """The custody policy, read."""
        return read_policy(self.custody_policy)

    @property
    def divided(self) -> Sharing:
        """The sharing, read."""
        return Sharing.from_bytes(self.sharing)

    @property
    def job_statement(self) -> Envelope:
        """The job's envelope, read."""
        return Envelope.from_bytes(self.statement)

    @property
    def job_evidence(self) -> Envelope:
        """Its evidence, read."""
        return Envelope.from_bytes(self.evidence)

    def to_bytes(self) -> bytes:
        """Canonical JSON and a newline."""
        return (
            canonical.dumps(
                {
                    "custody_policy": self.custody_policy,
                    "evidence": base64_text(self.evidence),
                    "format": FORMAT,
                    "job_id": self.job_id,
                    "kept_at": int(self.kept_at),
                    "log_index": self.log_index,
                    "owner": self.owner,
                    "shares": {whose: base64_text(share) for whose, share in self.shares.items()},
                    "sharing": base64_text(self.sharing),
                    "statement": base64_text(self.statement),
                    "terms": base64_text(self.terms),
                }
            )
            + b"\n"
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Kept:
        """Reads what `to_bytes` wrote.

        Raises:
            FormatError: anything else; the file was damaged.
        """
        content = canonical.loads(data.removesuffix(b"\n"), MAX_KEPT_BYTES)
        if not isinstance(content, dict) or content.keys() != _FIELDS or content["format"] != FORMAT:
            raise FormatError("what was kept of a job is damaged")
        return cls(
            job_id=content["job_id"],
            owner=content["owner"],
            terms=base64_bytes(content["terms"]),
            custody_policy=content["custody_policy"],
            sharing=base64_bytes(content["sharing"]),
            shares=_shares(content["shares"]),
            statement=base64_bytes(content["statement"]),
            evidence=base64_bytes(content["evidence"]),
            log_index=content["log_index"],
            kept_at=float(content["kept_at"]),
        )


@dataclass(frozen=True)
class Sizes:
    """The two large files of a job, durable. Sizes in bytes, digests in hex; 0 and "" for a missing sheet."""

    package_bytes: int
    package_sha256: str
    sheet_bytes: int
    sheet_sha256: str


class KeptStore:
    """One folder a job, mode 0700. Safe for threads, as long as no two of them handle one job.

    Args:
        folder: made if absent.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def create_package(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial package; a worker gets it."""
        return self._create(job_id, _PACKAGE)

    def create_sheet(self, job_id: str) -> int:
        """A write-only descriptor of an empty partial sheet; a worker gets it."""
        return self._create(job_id, _SHEET)

    def commit(self, job_id: str, package_bytes: int) -> Sizes:
        """Makes the partial files durable, under their names.

        Args:
            job_id: 32 hex digits.
            package_bytes: where the package ends, by its worker: what stands behind it is of a first round
                that did not hold, under keys that nobody has.
        """
        folder = self._of(job_id)
        package = folder / f"{_PACKAGE}.partial"
        if package.stat().st_size > package_bytes:
            os.truncate(package, package_bytes)
        sizes: list[tuple[int, str]] = []
        for name in (_PACKAGE, _SHEET):
            partial = folder / f"{name}.partial"
            sizes.append(_synced(partial))
            partial.rename(folder / name)
        sync_folder(folder)
        return Sizes(*sizes[0], *sizes[1])

    def keep(self, kept: Kept) -> None:
        """Makes the document durable: from here on the job can be asked about."""
        folder = self._of(kept.job_id)
        temporary = folder / f".{_DOCUMENT}.tmp"
        with temporary.open("wb") as file:
            file.write(kept.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / _DOCUMENT)
        sync_folder(folder)
        sync_folder(self._folder)

    def get(self, job_id: str) -> Kept:
        """What is kept of a job.

        Raises:
            ServiceError: `nothing_kept`: there is no such job, its policy keeps nothing, or all is erased.
            FormatError: the document is damaged.
        """
        try:
            with (self._of(job_id) / _DOCUMENT).open("rb") as file:
                return Kept.from_bytes(file.read(MAX_KEPT_BYTES + 2))
        except (FileNotFoundError, NotADirectoryError):
            raise nothing_kept() from None

    def jobs(self) -> Iterator[Kept]:
        """Everything that is kept, in the order of the jobs' numbers."""
        for entry in sorted(self._folder.iterdir()):
            if _JOB_ID.fullmatch(entry.name) and (entry / _DOCUMENT).is_file():
                yield self.get(entry.name)

    def open_package(self, job_id: str) -> int:
        """A read-only descriptor of the package.

        Raises:
            ServiceError: `nothing_kept`.
        """
        try:
            return os.open(self._of(job_id) / _PACKAGE, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise nothing_kept() from None

    def tracks(self, job_id: str) -> frozenset[int]:
        """The numbers of what can be asked for, erased ones too; the package has them in the open.

        Raises:
            ServiceError: `nothing_kept`.
            RecoveryError: package_malformed.
        """
        with os.fdopen(self.open_package(job_id), "rb") as package:
            return frozenset(PackageReader(package).tracks) - {RESULT_TRACK}

    def sheet_bytes(self, job_id: str) -> int:
        """The size of the sheet in bytes; 0 where there is none."""
        try:
            return (self._of(job_id) / _SHEET).stat().st_size
        except FileNotFoundError:
            return 0

    def read_sheet(self, job_id: str) -> Iterator[bytes]:
        """The sealed sheet, in small pieces."""
        with (self._of(job_id) / _SHEET).open("rb") as file:
            while chunk := file.read(READ_BYTES):
                yield chunk

    def folders(self) -> set[str]:
        """Jobs that something is here of, whole or not."""
        return {entry.name for entry in self._folder.iterdir() if _JOB_ID.fullmatch(entry.name)}

    def drop_partial(self, job_id: str) -> None:
        """Removes what a job that failed began to leave; what is kept stays."""
        folder = self._of(job_id)
        if not (folder / _DOCUMENT).exists():
            shutil.rmtree(folder, ignore_errors=True)

    def drop(self, job_id: str) -> None:
        """Removes everything of a job, the document first: nobody can ask about it any more."""
        folder = self._of(job_id)
        (folder / _DOCUMENT).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def _create(self, job_id: str, name: str) -> int:
        folder = self._of(job_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
        return os.open(folder / f"{name}.partial", flags, 0o600)

    def _of(self, untrusted_job_id: str) -> Path:
        # A name that comes from a client becomes a path here.
        if _JOB_ID.fullmatch(untrusted_job_id) is None:
            raise nothing_kept()
        return self._folder / untrusted_job_id


def nothing_kept() -> ServiceError:
    """The refusal of a job of which nothing can be seen again; one of somebody else looks the same."""
    return ServiceError(
        "nothing_kept",
        "Nothing is kept of such a job: it is unknown here, its policy keeps nothing, or it was erased.",
        grpc.StatusCode.NOT_FOUND,
    )


def _shares(stored: Any) -> dict[str, bytes]:
    if not isinstance(stored, dict):
        raise FormatError("what was kept of a job is damaged")
    shares = {whose: base64_bytes(share) for whose, share in stored.items()}
    if any(len(share) != SEALED_SHARE_BYTES for share in shares.values()):
        raise FormatError("what was kept of a job is damaged")
    return shares


def _synced(path: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            size += len(block)
        os.fsync(file.fileno())
    return size, digest.hexdigest() if size else ""
