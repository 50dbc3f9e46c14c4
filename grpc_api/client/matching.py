"""Matching on the submitter's side: the templates that are handed in, and the scores that come back.

Nobody here can read either. The scores are encrypted to the templates' owner; whoever submits hands them on.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from enclave.policy import Instructions
from grpc_api.client import transfer
from grpc_api.client.connection import Connection
from grpc_api.client.outputs import create_private
from grpc_api.errors import invalid
from keyvault.age import HybridIdentity, open_sealed
from protos.bauta.v1 import jobs_pb2
from provenance.statements import JobFacts


@dataclass(frozen=True)
class Matching:
    """With whom everybody in a job is compared.

    Attributes:
        package: context and encrypted templates (keyvault/templates/package.py); empty for nobody.
    """

    package: bytes = field(default=b"", repr=False)

    def told(self, instructions: Instructions | None) -> Instructions | None:
        """Gives the instructions that announce the package; as they were where there is none.

        Raises:
            PreambleError: it is too large.
        """
        if not self.package:
            return instructions
        return replace(instructions or Instructions(), matching=len(self.package))


def fetch_scores(
    connection: Connection, job: jobs_pb2.Job, facts: JobFacts, identity: HybridIdentity, work: Path
) -> None:
    """Fetches the encrypted scores of a finished job into the file `scores` of a folder, where there are any.

    Args:
        connection: to the service.
        job: as the service tells it.
        facts: the verified statement about it.
        identity: opens their seal.
        work: a folder of the submitter's own.

    Raises:
        ServiceError: `scores_missing`, `scores_of_other_job`, or the service's code.
        AgeError: they cannot be opened.
    """
    if not facts.matched:
        raise invalid("scores_missing", "Templates were handed in, and nobody was compared with them.")
    if facts.scores_sha256 is None:
        return
    if job.scores_sha256.hex() != facts.scores_sha256:
        raise invalid("scores_of_other_job", "The scores are not those that the proof names.")
    sealed = work / "scores.age"
    transfer.download_scores(connection, job, sealed)
    with sealed.open("rb") as source, create_private(work / "scores") as sink:
        open_sealed(source, sink, [identity])


def require_no_scores(facts: JobFacts) -> None:
    """Checks that in a job without templates nobody was compared with any.

    Raises:
        ServiceError: `scores_not_asked`.
    """
    if facts.matched:
        raise invalid("scores_not_asked", "The worker compared people with templates that nobody handed in.")
