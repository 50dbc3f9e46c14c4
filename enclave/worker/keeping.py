"""A job under a reversible policy: what it covers goes into a recovery package, for custodians to decide on.

The recovery key is drawn here and divided at once; nobody else ever has it whole, but for a disclosure worker
that enough custodians approve of. What is covered is encrypted as it comes: a second of it is in memory, and
never more than a bound, whatever the length of the video.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from anonymizer.effects.operator import Cover, Scene
from anonymizer.keeping import Samples
from anonymizer.recovery import Beneath, bands_of, beneath_of, said_of, voice_track, write_pixels, write_sound
from anonymizer.recovery.showing import Showing
from enclave.errors import WorkerError
from enclave.policy import Terms
from enclave.worker import handed_over as fds
from enclave.worker import vault_channel
from enclave.worker.sealing import seal_result
from keyvault.age import HybridRecipient
from keyvault.age.streams import ByteSink
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import deal, job_context, recovery_key
from keyvault.recovery.result import add_result
from keyvault.recovery.sheet import MAX_SHEET_BYTES, VOICE, RecoverySheet, SheetEntry
from keyvault.recovery.writer import PackageWriter, WrittenPackage
from protos.bauta.internal.v1.release_pb2 import RingRequest, RingResponse
from protos.bauta.internal.v1.worker_pb2 import SealedShare, WorkerRecovery

SEGMENT_MILLISECONDS: Final = 1000
# Of one track, after which an entry is written although its second has not ended; and of all tracks.
MOST_OF_A_TRACK: Final = 4 << 20
MOST_WAITING: Final = 48 << 20
_MICROSECONDS: Final = 1000


@dataclass(frozen=True)
class KeptJob:
    """What a job leaves for custodians.

    Attributes:
        report: for the front desk.
        facts: for the statement: digests by word.
    """

    report: WorkerRecovery
    facts: dict[str, str]


@dataclass
class _Waiting:
    regions: list[Beneath] = field(default_factory=list)
    segment: int = 0
    size: int = 0


class PackageSink(ByteSink, Protocol):
    """Takes a package, and takes it from the beginning again."""

    def again(self) -> None:
        """What was written so far counts for nothing."""


class PackageKeeper:
    """Encrypts what the anonymizer covers (`anonymizer.keeping.Keeper`). Safe for its two threads.

    Args:
        job_id: 16 bytes.
        custody: who together may have it back.
        sink: takes the package.
    """

    def __init__(self, job_id: bytes, custody: CustodyPolicy, sink: PackageSink) -> None:
        self._job_id = job_id
        self._custody = custody
        self._sink = sink
        self._lock = threading.Lock()
        self._begin()

    def again(self) -> None:
        """Begins anew, with new keys: the same ones would encrypt other regions under the same nonces."""
        self._sink.again()
        self._begin()

    def _begin(self) -> None:
        context, custody = job_context(self._job_id), self._custody
        dealt = deal(custody.rule, context)
        self._sharing = dealt.sharing
        self._shares = {
            whose: seal_share(
                share,
                HybridRecipient.parse(custody.custodians[whose].recipient),
                dealt_info(dealt.sharing, whose),
            )
            for whose, share in dealt.shares.items()
        }
        key = recovery_key(dealt.secret, context)
        self._writer = PackageWriter(self._sink, key, context, SEGMENT_MILLISECONDS)
        self._waiting: defaultdict[int, _Waiting] = defaultdict(_Waiting)
        self._waiting_bytes = 0
        self._segment = 0
        self._frames = 0
        self._showing = Showing()
        self._spoken: dict[int, tuple[int, int]] = {}

    def covered(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes what will be covered in a frame.

        Raises:
            RecoveryError: package_too_large.
            WorkerError: the same.
            OSError: the disk is full.
        """
        segment = round(scene.time * 1000) // SEGMENT_MILLISECONDS
        if segment != self._segment:
            self._segment = segment
            self._write_all()
        for track, whole in beneath_of(scene, covers, self._frames).items():
            for region in bands_of(whole):
                self._add(track, region)
        self._frames += 1

    def shown(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes thumbnails of what is covered by now."""
        self._showing.take(scene, covers)

    def heard(self, speaker: int, first: int, rate: int, samples: Samples) -> None:
        """Takes what somebody said.

        Raises:
            RecoveryError, WorkerError, OSError: as for `covered`.
        """
        begins, ends = 1000 * first // rate, 1000 * (first + samples.shape[1]) // rate
        entry = write_sound(said_of(first, rate, samples))
        self._spoken[speaker] = (self._spoken.get(speaker, (begins, 0))[0], ends)
        with self._lock:
            self._writer.add(voice_track(speaker), begins, "sound", entry)

    def package(self, result: io.RawIOBase) -> WrittenPackage:
        """Puts the result in and ends the package.

        Raises:
            RecoveryError, WorkerError, OSError: as for `covered`.
        """
        self._write_all()
        with self._lock:
            add_result(self._writer, result)
            return self._writer.close()

    def close(self, result: io.RawIOBase) -> KeptJob:
        """Ends the package, seals the sheet, and hands the ring to the vault.

        Raises:
            RecoveryError, WorkerError, OSError: as for `covered`; ring_refused, the vault does not take it.
        """
        written = self.package(result)
        recipients = tuple(custodian.recipient for custodian in self._custody.custodians.values())
        sink = fds.DescriptorSink(fds.SHEET_FD, 2 * MAX_SHEET_BYTES, "package_too_large")
        sheet = seal_result([self._sheet().to_bytes()], sink, recipients)
        ring = written.ring.to_bytes()
        _hand_over(ring)
        return self._kept(written, ring, sheet.sealed_bytes, sheet.sealed_sha256)

    def _add(self, track: int, region: Beneath) -> None:
        # A frame may lie a little behind the one that began a segment; its own time says where it belongs.
        waiting = self._waiting[track]
        segment = region.microseconds // _MICROSECONDS // SEGMENT_MILLISECONDS
        if waiting.regions and (waiting.segment != segment or waiting.size >= MOST_OF_A_TRACK):
            self._write(track)
            waiting = self._waiting[track]
        waiting.segment = segment
        waiting.regions.append(region)
        waiting.size += region.size
        self._waiting_bytes += region.size
        if self._waiting_bytes >= MOST_WAITING:
            self._write_all()

    def _write_all(self) -> None:
        for track in list(self._waiting):
            self._write(track)

    def _write(self, track: int) -> None:
        waiting = self._waiting.pop(track)
        self._waiting_bytes -= waiting.size
        entry = write_pixels(waiting.regions)
        at_milliseconds = waiting.regions[0].microseconds // _MICROSECONDS
        with self._lock:
            self._writer.add(track, at_milliseconds, "pixels", entry)

    def _sheet(self) -> RecoverySheet:
        seen = [
            SheetEntry(
                track,
                shown.kind,
                shown.effect,
                round(shown.first * 1000),
                round(shown.last * 1000),
                shown.jpeg,
            )
            for track, shown in sorted(self._showing.tracks.items())
        ]
        spoken = [
            SheetEntry(voice_track(speaker), VOICE, "replaced", begins, ends)
            for speaker, (begins, ends) in sorted(self._spoken.items())
        ]
        return RecoverySheet(self._job_id.hex(), (*seen, *spoken))

    def _kept(self, written: WrittenPackage, ring: bytes, sheet_bytes: int, sheet_sha256: bytes) -> KeptJob:
        ring_sha256 = hashlib.sha256(ring).digest()
        report = WorkerRecovery(
            package_bytes=written.size,
            package_sha256=written.sha256,
            sheet_bytes=sheet_bytes,
            sheet_sha256=sheet_sha256,
            ring_sha256=ring_sha256,
            sharing=self._sharing.to_bytes(),
            shares=[
                SealedShare(custodian=bytes.fromhex(whose), sealed=sealed)
                for whose, sealed in self._shares.items()
            ],
        )
        facts = {
            "custody_policy": self._custody.digest.hex(),
            "package": written.sha256.hex(),
            "ring": ring_sha256.hex(),
            "sharing": self._sharing.digest.hex(),
            "sheet": sheet_sha256.hex(),
        }
        return KeptJob(report, facts)


def keeper_for(terms: Terms, job_id: bytes, max_bytes: int) -> PackageKeeper | None:
    """Begins a package where the terms want one.

    Raises:
        WorkerError, OSError: it cannot be written.
    """
    if terms.custody is None:
        return None
    sink = fds.DescriptorSink(fds.PACKAGE_FD, max_bytes, "package_too_large")
    return PackageKeeper(job_id, terms.custody, sink)


def _hand_over(ring: bytes) -> None:
    vault_channel.write(fds.VAULT_FD, RingRequest(ring=ring))
    if vault_channel.read(fds.VAULT_FD, RingResponse).error_code:
        raise WorkerError("the vault does not take the ring", "ring_refused")
