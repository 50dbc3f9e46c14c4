"""Revocation lists (RFC 5280, section 5), for those who bring them as files."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import datetime

from cryptography import x509

from enclave.attest.certificates import reading_certificates
from enclave.attest.chain import Scheme
from enclave.attest.errors import EvidenceError


def check_revocation(
    chain: Sequence[x509.Certificate],
    lists: Sequence[x509.CertificateRevocationList],
    scheme: Scheme,
    at: datetime,
) -> list[str]:
    """Checks a chain, whose links already hold, against the lists of its own issuers.

    A list that is newer than `at` counts as well: what is known to be revoked today is not believed for
    yesterday.

    Args:
        chain: the leaf first, the root last.
        lists: any; those of issuers outside the chain are passed over.
        scheme: how this vendor signs lists.
        at: with a time zone; a list whose next issue was due before it is refused.

    Returns:
        Warnings: for which certificates there was no list.

    Raises:
        EvidenceError: `evidence_revoked`, `evidence_collateral_untrusted` or `evidence_collateral_expired`.
    """
    unlisted = 0
    for certificate, issuer in itertools.pairwise(chain):
        with reading_certificates("evidence_collateral_malformed"):
            mine = [found for found in lists if found.issuer == issuer.subject]
        unlisted += not mine
        for revocation_list in mine:
            _check_list(revocation_list, issuer, scheme, at)
            with reading_certificates("evidence_collateral_malformed"):
                revoked = revocation_list.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if revoked is not None:
                raise EvidenceError("the vendor has revoked a certificate", "evidence_revoked")
    if unlisted:
        return [
            f"Revocation was not checked for {unlisted} of {len(chain) - 1} certificates: no list was given."
        ]
    return []


def _check_list(
    revocation_list: x509.CertificateRevocationList,
    issuer: x509.Certificate,
    scheme: Scheme,
    at: datetime,
) -> None:
    code = "evidence_collateral_malformed"
    try:
        with reading_certificates(code):
            scheme.check(issuer, revocation_list.signature, revocation_list.tbs_certlist_bytes)
            due = revocation_list.next_update_utc
    except EvidenceError as error:
        if error.code == code:
            raise
        raise EvidenceError(
            "a revocation list is not signed by its issuer", "evidence_collateral_untrusted"
        ) from None
    if due is None or due < at:
        raise EvidenceError("a revocation list is out of date; fetch it anew", "evidence_collateral_expired")
