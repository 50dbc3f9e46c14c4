"""The derived keys of one job: which it needs by its instructions, and the one question for all of them.

It is asked in every job, also for no key at all, and before the first byte of media reaches a decoder. The
vault answers it once: media that takes the child over comes too late to have a key derived.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from enclave.errors import WorkerError
from enclave.policy import Instructions
from enclave.worker import vault_channel
from enclave.worker.release import Release
from keyvault.derived import (
    PERSONA,
    RECORD,
    Binding,
    KeyName,
    open_derived_key,
    persona_key_of,
    record_key_of,
)
from keyvault.release import ReleaseSealError
from protos.bauta.internal.v1.release_pb2 import DeriveRequest, DeriveResponse, KeyAsked


@dataclass(frozen=True)
class DerivedKeys:
    """What the vault derived for one job.

    Attributes:
        personas: what every synthetic face of the submitter's scope comes from, 32 bytes; None without one.
        record: seals and opens the record of a review, 32 bytes; None where none is asked for.
    """

    personas: bytes | None = field(default=None, repr=False)
    record: bytes | None = field(default=None, repr=False)


def ask_for_derived_keys(
    vault_fd: int,
    job_id: bytes,
    age_header: bytes,
    release: Release,
    instructions: Instructions,
    *,
    keeps: bool = False,
) -> DerivedKeys:
    """Asks for what the instructions need.

    Args:
        vault_fd: this job's own channel to the vault, on which it gave the file key.
        job_id: 16 bytes.
        age_header: of the upload.
        release: what the vault gave.
        instructions: from inside the seal.
        keeps: whether the ring of a recovery package will follow.

    Raises:
        WorkerError: `release_refused`, the vault refused or answered something else; `vault_unavailable`.
    """
    names = _needed(instructions)
    asked = [KeyAsked(purpose=name.purpose, context=name.context) for name in names]
    vault_channel.write(vault_fd, DeriveRequest(keys=asked, hands_over_ring=keeps))
    response = vault_channel.read(vault_fd, DeriveResponse)
    if response.error_code or len(response.sealed_keys) != len(names):
        raise WorkerError("the vault refused to derive this job's keys", "release_refused")
    binding = Binding(job_id, age_header, release.file_key)
    try:
        keys = {
            name.purpose: open_derived_key(sealed, release.one_job_key, binding, name)
            for name, sealed in zip(names, response.sealed_keys, strict=True)
        }
    except ReleaseSealError:
        raise WorkerError("a derived key is not the vault's for this job", "release_refused") from None
    return DerivedKeys(personas=keys.get(PERSONA), record=keys.get(RECORD))


def _needed(instructions: Instructions) -> list[KeyName]:
    names = []
    if instructions.scope:
        names.append(persona_key_of(instructions.scope))
    if instructions.review is not None:
        names.append(record_key_of(instructions.review.key))
    return names
