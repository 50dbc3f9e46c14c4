"""A manifest, read and judged by a library that is not ours: c2pa (contentauth), where it is installed.

It is told to believe the roots of a trust file and nobody else, and to ask nobody: no manifest is fetched, no
revocation is looked up, and its own lists of roots are not used.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from provenance.credentials.labels import BINDING_LABELS, CLAIM_SIGNING, DOCUMENT_SIGNING
from provenance.errors import ProvenanceError

_TRUSTED: Final = "Trusted"
_UNTRUSTED: Final = "signingCredential.untrusted"
_ENDED: Final = "signingCredential.expired"


class CredentialsError(ProvenanceError):
    """A result's content credentials are not what its proof says."""

    code = "credentials_untrusted"


class CredentialsUncheckedError(ProvenanceError):
    """Content credentials cannot be checked here and now; nothing is said against them."""

    code = "credentials_unchecked"


@dataclass(frozen=True)
class ReadManifest:
    """What a manifest says, once it is believed.

    Attributes:
        actions: what was done, in the specification's words.
        evidence_sha256: hex SHA-256 of the envelope of the job's release statement.
        log_origin: the log that has it.
    """

    actions: tuple[str, ...]
    evidence_sha256: str
    log_origin: str


def is_readable_here() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec("c2pa") is not None


def read_manifest(result: BinaryIO, media_type: str, roots: Sequence[bytes]) -> ReadManifest:
    """Reads the manifest of a file and insists that the library trusts it and that it is one of ours.

    Args:
        result: the file; seekable.
        media_type: of it.
        roots: DER certificates that the signer's must lead to.

    Raises:
        CredentialsError: `credentials_missing`, `credentials_untrusted`, `credentials_unexpected`.
        CredentialsUncheckedError: the library is not installed, the file is a pipe, or the certificate of the
            signer has ended since.
    """
    if not result.seekable():
        raise CredentialsUncheckedError("the file can be read only once")
    if not is_readable_here():
        raise CredentialsUncheckedError("the c2pa library is not installed")
    return judge(*_report(result, media_type, roots))


def judge(state: str | None, untrusted_report: str | bytes) -> ReadManifest:
    """Takes what the library says of a file.

    Args:
        state: its verdict.
        untrusted_report: JSON, most of it as the file has it.

    Raises:
        CredentialsError: `credentials_untrusted`, `credentials_unexpected`.
        CredentialsUncheckedError: the signer's certificate has ended since.
    """
    try:
        report = json.loads(untrusted_report)
    except (ValueError, RecursionError):
        raise CredentialsError("the content credentials cannot be read") from None
    if state == _TRUSTED:
        return _ours(report)
    failures = _failures(report)
    # Where it has ended nobody looks whose it was. That the file is the proven one is shown without it.
    if _ENDED in failures and failures <= {_ENDED, _UNTRUSTED}:
        raise CredentialsUncheckedError("the signer's certificate has ended since")
    raise CredentialsError("the content credentials do not hold, or are by somebody else")


def _report(result: BinaryIO, media_type: str, roots: Sequence[bytes]) -> tuple[str | None, str]:
    # Only now: 23 MB that a vault, a worker and a verifier of other results have no use for.
    c2pa: Any = importlib.import_module("c2pa")
    result.seek(0)
    try:
        with (
            c2pa.Settings.from_dict(_settings(roots)) as settings,
            c2pa.Context(settings) as context,
            c2pa.Reader(media_type, result, context=context) as reader,
        ):
            # Reader.json() writes numbers where CBOR has byte strings; crjson() does not.
            return reader.get_validation_state(), reader.crjson()
    except c2pa.C2paError.ManifestNotFound:
        raise CredentialsError("the file carries no content credentials", "credentials_missing") from None
    except c2pa.C2paError:
        raise CredentialsError("the content credentials cannot be read") from None


def _settings(roots: Sequence[bytes]) -> dict[str, Any]:
    try:
        anchors = [x509.load_der_x509_certificate(root).public_bytes(Encoding.PEM).decode() for root in roots]
    except ValueError:
        raise CredentialsError("a credential root of the trust file is no certificate") from None
    return {
        "trust": {
            "trust_anchors": "".join(anchors),
            "trust_config": f"{CLAIM_SIGNING}\n{DOCUMENT_SIGNING}\n",
        },
        "verify": {"verify_trust": True, "ocsp_fetch": False, "remote_manifest_fetch": False},
    }


def _failures(report: Any) -> set[str]:
    match report:
        case {"manifests": [{"validationResults": {"failure": list(failures)}}]}:
            return {str(failure.get("code")) for failure in failures if isinstance(failure, dict)}
    return set()


def _ours(report: Any) -> ReadManifest:
    """Insists on one manifest with our three assertions and nothing else: no ingredient, no thumbnail."""
    match report:
        case {
            "manifests": [
                {
                    "assertions": {
                        "c2pa.actions.v2": {"actions": list(actions)},
                        "org.bauta.evidence": {"evidenceSha256": str(evidence), "log": str(log)},
                        **others,
                    }
                }
            ]
        } if len(others) == 1 and set(others) <= set(BINDING_LABELS):
            names = tuple(str(action.get("action")) for action in actions if isinstance(action, dict))
            return ReadManifest(names, evidence, log)
    raise CredentialsError("the content credentials are not of our form", "credentials_unexpected")
