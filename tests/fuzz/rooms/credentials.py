"""Content credentials: what the c2pa library reports of a stranger's file, and certificates."""

from __future__ import annotations

import json
from functools import cache

from provenance.credentials.certificates import parse_certificate
from provenance.credentials.labels import ACTIONS_LABEL, BMFF_HASH_LABEL, DATA_HASH_LABEL, EVIDENCE_LABEL
from provenance.credentials.reading import CredentialsError, CredentialsUncheckedError, judge
from provenance.errors import FormatError
from tests.fuzz.target import Target
from tests.unit.provenance.credential_makers import Signer


def judge_trusted(untrusted: bytes) -> None:
    """The library trusts the signer; whether the manifest is one of ours is still to be seen."""
    manifest = judge("Trusted", untrusted)
    assert all(isinstance(said, str) for said in (*manifest.actions, manifest.evidence_sha256))


@cache
def reports() -> tuple[bytes, ...]:
    """Of good files, as far as they are read."""
    return tuple(
        json.dumps(
            {
                "manifests": [
                    {
                        "assertions": {
                            ACTIONS_LABEL: {"actions": [{"action": "c2pa.created"}]},
                            EVIDENCE_LABEL: {"evidenceSha256": "00" * 32, "log": "bauta.log/x"},
                            binding: {"hash": "b64'AA=='"},
                        },
                        "validationResults": {"failure": []},
                    }
                ]
            }
        ).encode()
        for binding in (DATA_HASH_LABEL, BMFF_HASH_LABEL)
    )


TARGETS = (
    Target(
        name="credential_report",
        sender="whoever made the file that is verified, through the c2pa library",
        parsers=("provenance.credentials.reading.judge",),
        parse=judge_trusted,
        seeds=reports,
        errors=(CredentialsError, CredentialsUncheckedError),
        json=True,
        tokens=(b"signingCredential.expired", b'"manifests"', b"c2pa.ingredient.v3"),
    ),
    Target(
        name="credential_certificate",
        sender="whoever wrote the trust file, or answered a signing request",
        parsers=("provenance.credentials.certificates.parse_certificate",),
        parse=parse_certificate,
        seeds=lambda: Signer().chain,
        errors=(FormatError,),
    ),
)
