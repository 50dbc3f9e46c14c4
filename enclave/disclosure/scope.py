"""The keys of one request's scope, and what they open: these tracks, for these stretches, in this package.

The recovery key opens the wrapped keys of the tracks that the vault gave, which are those of the request;
from each come the keys of the segments that the stretches touch. Only these are kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from anonymizer.recovery import VOICES_FROM, Beneath, Said, read_pixels, read_sound
from enclave.disclosure.checking import Granted
from enclave.errors import WorkerError
from keyvault.custody.sharing import job_context
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import PackageReader, Scope
from keyvault.recovery.result import WHOLE, ResultFile
from keyvault.recovery.ring import RecoveryRing


@dataclass(frozen=True)
class Released:
    """What may be uncovered.

    Attributes:
        result: the anonymized file, in which everybody is covered.
        scopes: entries and their keys, by track.
    """

    result: BinaryIO
    reader: PackageReader = field(repr=False)
    scopes: tuple[Scope, ...] = field(repr=False)

    def seen(self) -> dict[int, Iterator[Beneath]]:
        """What lay beneath the covers of each track, in the order of frames."""
        return {scope.track: self._regions(scope) for scope in self.scopes if scope.track < VOICES_FROM}

    def heard(self) -> dict[int, Iterator[Said]]:
        """What each voice said, in the order of time."""
        return {scope.track: self._voices(scope) for scope in self.scopes if scope.track >= VOICES_FROM}

    def _regions(self, scope: Scope) -> Iterator[Beneath]:
        for opened in self.reader.open(scope):
            if opened.kind == "pixels":
                yield from read_pixels(opened.plaintext)

    def _voices(self, scope: Scope) -> Iterator[Said]:
        for opened in self.reader.open(scope):
            if opened.kind == "sound":
                yield read_sound(opened.plaintext)


def require_package(reader: PackageReader, granted: Granted) -> None:
    """Checks that this is the package that the job's worker wrote.

    Raises:
        WorkerError: `package_changed`.
        OSError: it cannot be read.
    """
    if reader.context != job_context(bytes.fromhex(granted.job.job_id)):
        raise _changed()
    if reader.sha256().hex() != granted.job.recovery["package"]:
        raise _changed()


def open_scope(reader: PackageReader, ring: RecoveryRing, granted: Granted) -> Released:
    """Derives the keys of a scope; the recovery key and those of the tracks are forgotten on the way.

    Args:
        reader: of the package, checked.
        ring: the wrapped keys that the vault gave.
        granted: what a quorum gave.

    Raises:
        RecoveryError: track_unknown, track_erased, package_key_wrong or package_malformed.
    """
    key, request = granted.recovery_key, granted.request
    scopes = [reader.narrow(track, ring.track_key(key, track), request.stretches) for track in request.tracks]
    whole = reader.narrow(RESULT_TRACK, ring.track_key(key, RESULT_TRACK), WHOLE)
    # typeshed does not count raw streams among BinaryIO; they do all that it asks for.
    return Released(cast("BinaryIO", ResultFile(reader, whole)), reader, tuple(scopes))


def _changed() -> WorkerError:
    return WorkerError("the package is not the one that the job's worker wrote", "package_changed")
