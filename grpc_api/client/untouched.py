"""An untouched package on the submitter's side: fetched, held against the statement, and opened.

It leads to the commitment that the statement names, and whoever has the result may have it: a tile that it
opens can be seen there. So it lies open beside the result.
"""

from __future__ import annotations

from pathlib import Path

from grpc_api.client import transfer
from grpc_api.client.connection import Connection
from grpc_api.client.outputs import create_private
from grpc_api.errors import invalid
from keyvault.age import HybridIdentity, open_sealed
from protos.bauta.v1 import jobs_pb2
from provenance.statements import JobFacts


def fetch_untouched(
    connection: Connection, job: jobs_pb2.Job, facts: JobFacts, identity: HybridIdentity, work: Path
) -> None:
    """Fetches the package of a finished job into the file `untouched` of a folder.

    Args:
        connection: to the service.
        job: as the service tells it.
        facts: the verified statement about it.
        identity: opens the package.
        work: a folder of the submitter's own.

    Raises:
        ServiceError: `untouched_missing`, `untouched_of_other_job`, or the service's code.
        AgeError: it cannot be opened.
    """
    if facts.untouched_sha256 is None or not job.untouched_bytes:
        raise invalid("untouched_missing", "The policy asks for an untouched package, and there is none.")
    # Before a byte of it is fetched: what arrives is held against the same digest.
    if job.untouched_sha256.hex() != facts.untouched_sha256:
        raise invalid("untouched_of_other_job", "The untouched package is not the one that the proof names.")
    sealed = work / "untouched.age"
    transfer.download_untouched(connection, job, sealed)
    with sealed.open("rb") as source, create_private(work / "untouched") as sink:
        open_sealed(source, sink, [identity])


def require_no_untouched(facts: JobFacts) -> None:
    """Checks that a job whose policy asks for no package made none.

    Raises:
        ServiceError: `untouched_not_asked`.
    """
    if facts.untouched_sha256 is not None:
        raise invalid("untouched_not_asked", "The worker made an untouched package that nobody asked for.")
