"""One content credential for one job: what a child may have signed, and when.

A child that got its file key may ask once, on the channel of its job, while that job is open. It does not
send what is to be signed: the vault makes the claim itself, about the evidence that it has signed for this
very job and has seen in the log. All that a child chooses is which file the claim is about and what it says
was done, which only it can know. One that was taken over can lie there about its own job, as it can in its
statement.
"""

from __future__ import annotations

from keyvault.vault.claim_key import ClaimKey
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import ClaimRequest, ClaimSigner
from provenance.credentials.claim import Claim
from provenance.errors import ProvenanceError


class ClaimDesk:
    """Decides on claims. Keeps nothing between two of them; thread-safe.

    Args:
        key: signs.
        log_origin: the log that holds the evidence.
        releases: knows whether a job is still open.
    """

    def __init__(self, key: ClaimKey, log_origin: str, releases: ReleaseDesk) -> None:
        self._key = key
        self._log_origin = log_origin
        self._releases = releases

    @property
    def signer(self) -> ClaimSigner:
        """What a child is told, so that it can make the same claim."""
        return ClaimSigner(chain=self._key.chain, log_origin=self._log_origin)

    def sign(self, offer: Offer, untrusted: ClaimRequest) -> bytes:
        """Signs the claim of a job whose key was released.

        Args:
            offer: what was released.
            untrusted: what the job's child asks for.

        Raises:
            VaultRequestError: claim_malformed, or the job has ended.
        """
        self._releases.require_open(offer)
        try:
            claim = Claim(
                evidence_sha256=offer.evidence.digest,
                log_origin=self._log_origin,
                actions_sha256=untrusted.actions_sha256,
                binding_label=untrusted.binding_label,
                binding_sha256=untrusted.binding_sha256,
            )
        except ProvenanceError:
            raise VaultRequestError("claim_malformed", "the request does not make a claim") from None
        return self._key.sign(claim)
