"""The releases that lie in the data folder, and the one that is of this worker.

An operator gets releases from whoever reviews the code and puts the files into `releases/`. Where the node's
own key may release (nobody else was named when the vault was made), the vault signs one for the worker that
is there: the operator's own word. It is kept, so that a restart does not put another one into the log.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from grpc_api.errors import unavailable
from keyvault.client import VaultClient
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from provenance.dsse import MAX_ENVELOPE_BYTES, Envelope
from provenance.errors import ProvenanceError
from provenance.register import SignedRelease, verify_release
from provenance.trust import Trust

log = logging.getLogger("bauta.grpc_api")


def settle_release(
    folder: Path, own: Path, trust: Trust, vault: VaultClient, worker: WorkerHello
) -> Envelope:
    """Finds the release of the worker that is there, and shows it to the vault.

    Of several, one that others signed comes before the operator's own, and a newer before an older one.

    Args:
        folder: where the operator put releases; it may be absent.
        own: where the last release of the vault's own is kept.
        trust: whose releases count.
        vault: announces intakes for a worker only once it has seen this.
        worker: what the worker host says of itself.

    Raises:
        ServiceError: `worker_not_released`, or `lock_missing`.
        KeyvaultError: the vault refuses the release, or does not answer.
        OSError: a file cannot be read or written.
    """
    if not worker.version.lock_sha256:
        raise unavailable(
            "lock_missing",
            "There is no lock file beside the packages, so no release can say what is installed; "
            "install from a git checkout with `make setup`.",
        )
    found = [
        (envelope, release)
        for envelope, release in _releases((*sorted(folder.glob("*.json")), own), trust)
        if release.facts.measurement == worker.measurement.hex()
    ]
    if found:
        envelope, _ = max(found, key=lambda item: (not item[1].is_own, item[1].facts.released_at))
    elif trust.node in trust.releases:
        envelope = Envelope.from_bytes(vault.release_worker())
        write_release(own, envelope)
    else:
        raise unavailable(
            "worker_not_released",
            "This version of the worker is not released by a key that this service was made with. Give its "
            "release with `bauta serve --release FILE` (`bauta doctor` shows the measurement that it must "
            "have), or install a released version.",
        )
    vault.register_worker(envelope.to_bytes())
    return envelope


def _releases(paths: Iterable[Path], trust: Trust) -> Iterator[tuple[Envelope, SignedRelease]]:
    for path in paths:
        try:
            envelope = read_release(path)
            yield envelope, verify_release(envelope, trust)
        except FileNotFoundError:
            continue
        except ProvenanceError as error:
            # The name of the file is the operator's; the log does not need it.
            log.warning("a release file does not count: %s", error.code)


def read_release(path: Path) -> Envelope:
    """Reads a release file: the envelope's canonical JSON and a newline.

    Raises:
        FormatError: it is no envelope.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return Envelope.from_bytes(file.read(MAX_ENVELOPE_BYTES + 2).removesuffix(b"\n"))


def add_releases(folder: Path, files: Iterable[Path]) -> None:
    """Copies releases to where a service looks for them; whether they count is for the service to say.

    Raises:
        FormatError: a file is no release.
        OSError: a file cannot be read or written.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for file in files:
        release = read_release(file)
        write_release(folder / f"{release.digest.hex()[:16]}.json", release)


def write_release(path: Path, release: Envelope) -> None:
    """Writes a release file whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(release.to_bytes() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
