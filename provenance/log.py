"""The append-only log: stage an entry, have the new tree head signed, publish it.

Each step is durable before the next one starts: the entry in the index, the signature, the tiles, the
checkpoint in the index, and last the checkpoint that readers of the static files see. A crash, a full disk or
a refused signature between two steps leaves an entry that nobody was told about; the next append, or the next
start, takes it through the very same path. What was never published is never proved and never acknowledged.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from provenance.checkpoint import CheckpointText
from provenance.entry import Entry
from provenance.errors import FormatError, LogError, ProvenanceError
from provenance.log_check import LogReport, check_log
from provenance.log_index import LogIndex
from provenance.log_storage import LogStorage
from provenance.merkle import consistency_proof, inclusion_proof
from provenance.note import VerifierKey, parse_note
from provenance.tiles.check import check_files
from provenance.tiles.files import FolderFiles, StaticFiles
from provenance.tiles.publisher import TilePublisher
from provenance.tlog_proof import TlogProof


class CheckpointSigner(Protocol):
    """Whoever holds the log's keys."""

    def __call__(self, text: bytes, prove_from: Callable[[int], list[bytes]], /) -> bytes:
        """Gives the whole signed note of a checkpoint.

        It may take its time and it may raise; it must never sign two roots at one size.

        Args:
            text: the checkpoint's text.
            prove_from: gives the proof that the tree of an older size is the beginning of this one (RFC
                6962, 2.1.2), for a signer that remembers what it signed last.
        """


class Cosigner(Protocol):
    """Whoever gathers other people's signatures on a checkpoint that the log has signed."""

    def __call__(self, note: bytes, prove_from: Callable[[int], list[bytes]], /) -> bytes:
        """Gives the note with more signature lines under the same text.

        It may take its time, and it raises when there are too few; then nothing is published.

        Args:
            note: the signed checkpoint.
            prove_from: as for `CheckpointSigner`.
        """


def unwitnessed(note: bytes, _prove_from: Callable[[int], list[bytes]]) -> bytes:
    """The cosigner of a log without witnesses."""
    return note


def static_folder(path: Path) -> Path:
    """Where the static files of the log with this SQLite file lie."""
    return path.with_suffix("")


class SequencedLog:
    """The only writer of one log, over any storage. Thread-safe; appends that wait share the next signature.

    Args:
        index: opened, so that no other process writes it; closed with the log, or if this raises.
        files: the static files of the same log.
        sign_checkpoint: holds the keys.
        cosign: asks the witnesses, before anybody sees a checkpoint.

    Raises:
        LogError: the storage fails, or what an earlier process staged cannot be signed or witnessed.
    """

    def __init__(
        self,
        index: LogIndex,
        files: StaticFiles,
        sign_checkpoint: CheckpointSigner,
        cosign: Cosigner = unwitnessed,
    ) -> None:
        self._storage = index
        self._files = files
        self._sign_checkpoint = sign_checkpoint
        self._cosign = cosign
        self._publishing = threading.Lock()
        self._witnessed_again: tuple[int, bytes] | None = None
        try:
            self._publisher = TilePublisher(self._files, self._storage)
            self._publish(self._storage.size())
            self._witness_again()
        except BaseException:
            self._storage.close()
            raise

    def append(self, kind: str, envelope_digest: bytes) -> int:
        """Records an envelope; the same one again gives the same index.

        Args:
            kind: "intake", "release", "job" or "failure".
            envelope_digest: SHA-256 of the envelope's canonical JSON, 32 bytes.

        Returns:
            The entry's index, once it is durable and under a published checkpoint.

        Raises:
            FormatError: another kind or length.
            LogError: it is not recorded, `checkpoint_not_signed` if the signer is why; to try again is safe.
        """
        return self.append_all([(kind, envelope_digest)])[0]

    def append_all(self, records: Iterable[tuple[str, bytes]]) -> list[int]:
        """Records many envelopes under one signature; all of them or none.

        Args:
            records: kind and digest of each, as for `append`.

        Returns:
            Their indices, in order.

        Raises:
            FormatError: another kind or length.
            LogError: as for `append`.
        """
        indices = self._storage.stage([Entry(kind, digest) for kind, digest in records])
        self._publish(max(indices, default=-1) + 1)
        return indices

    def latest_checkpoint(self) -> bytes:
        """The newest published checkpoint, a signed note."""
        return self._latest()[1]

    def proof_for(self, index: int) -> bytes:
        """The proof that an entry is under the newest checkpoint, a c2sp.org/tlog-proof text.

        Raises:
            LogError: `not_published`, or the log is damaged.
        """
        size, note = self._latest()
        if not 0 <= index < size:
            raise LogError("there is no published entry at that index", "not_published")
        hashes = inclusion_proof(index, size, self._storage.node)
        return TlogProof(index=index, hashes=tuple(hashes), checkpoint=note).to_bytes()

    def entries(self, first: int, count: int) -> list[Entry]:
        """Published entries, one after the other: what is hashed again by who wants to see all of them.

        Raises:
            LogError: `not_published`, or the log is damaged.
        """
        if not 0 <= first <= first + count <= self._latest()[0]:
            raise LogError("there are no published entries at these places", "not_published")
        return self._storage.entries(first, count)

    def consistency_proof(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof that the tree of `new_size` leaves begins with the one of `old_size` (RFC 6962, 2.1.2).

        Raises:
            LogError: `not_published`, or the log is damaged.
        """
        if not 0 <= old_size <= new_size <= self._latest()[0]:
            raise LogError("there is no published tree of that size", "not_published")
        return consistency_proof(old_size, new_size, self._storage.node)

    def check(self, vkeys: Sequence[VerifierKey] = ()) -> LogReport:
        """Recomputes everything from the entries; with the log's keys, the signatures as well.

        Raises:
            LogError: `log_damaged`, and what is wrong.
        """
        with self._publishing:
            report = check_log(self._storage, vkeys)
            return replace(report, static=check_files(self._files, self._storage))

    def close(self) -> None:
        """Closes the file."""
        self._storage.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _latest(self) -> tuple[int, bytes]:
        latest = self._storage.latest()
        if latest is None:
            raise LogError("the log has no checkpoint", "log_damaged")
        again = self._witnessed_again
        return again if again is not None and again[0] == latest[0] else latest

    def _witness_again(self) -> None:
        """Asks today's witnesses about a checkpoint from before there were any, or from under another policy.

        What is published stays as it is; until the next entry, proofs are given under these lines.
        """
        size, note = self._latest()
        try:
            text = CheckpointText.parse(parse_note(note).text.encode())
        except FormatError:
            raise LogError("the newest checkpoint is none", "log_damaged") from None
        witnessed = self._witnessed(note, text, self._prover(size))
        if witnessed != note:
            self._witnessed_again = size, witnessed

    def _publish(self, wanted_size: int) -> None:
        """Sees to it that a published checkpoint covers `wanted_size` entries."""
        with self._publishing:
            latest = self._storage.latest()
            if self._publisher.size > (latest[0] if latest else 0):
                # An index put back from a backup; to go on would be a fork of what readers have seen.
                raise LogError("the published checkpoint is newer than the log's index", "log_damaged")
            if latest is None or latest[0] < wanted_size:
                text = self._storage.tree_head()
                latest = text.size, self._signed(text)
                self._publisher.write_tiles(text.size)
                self._storage.publish(text, latest[1])
            if not self._publisher.is_published(latest[1]):
                # Also after a crash right here, and for a log from before there were static files.
                self._publisher.write_tiles(latest[0])
                self._publisher.write_checkpoint(*latest)

    def _signed(self, text: CheckpointText) -> bytes:
        prove_from = self._prover(text.size)
        # Whatever the signer raises, a vault that is gone or one that refuses, ends in the same way.
        try:
            note = self._sign_checkpoint(text.to_bytes(), prove_from)
            signed = parse_note(note).text.encode()
        except Exception as error:
            raise LogError("the log's keys did not sign the checkpoint", "checkpoint_not_signed") from error
        if signed != text.to_bytes():
            raise LogError("the log's keys signed another checkpoint", "checkpoint_not_signed")
        return self._witnessed(note, text, prove_from)

    def _prover(self, size: int) -> Callable[[int], list[bytes]]:
        return lambda old_size: consistency_proof(old_size, size, self._storage.node)

    def _witnessed(
        self, note: bytes, text: CheckpointText, prove_from: Callable[[int], list[bytes]]
    ) -> bytes:
        try:
            witnessed = self._cosign(note, prove_from)
            still = parse_note(witnessed).text.encode()
        except ProvenanceError as error:
            raise LogError("the checkpoint is not witnessed; nothing is published", error.code) from error
        if still != text.to_bytes():
            raise LogError("the witnesses signed another checkpoint", "checkpoint_not_signed")
        return witnessed


class TransparencyLog(SequencedLog):
    """A log on this machine's disk, with nothing to install: SQLite and a folder.

    Args:
        path: the SQLite file, made if absent; the static files lie beside it, in a folder of its name
            without the suffix (`static_folder`).
        origin: the log's name, the first line of its checkpoints.
        sign_checkpoint: as for `SequencedLog`.
        cosign: as for `SequencedLog`.

    Raises:
        LogError: as for `SequencedLog`, or the file cannot be used (`log_storage.LogStorage` has the codes).
    """

    def __init__(
        self, path: Path, origin: str, sign_checkpoint: CheckpointSigner, cosign: Cosigner = unwitnessed
    ) -> None:
        super().__init__(LogStorage(path, origin), FolderFiles(static_folder(path)), sign_checkpoint, cosign)
