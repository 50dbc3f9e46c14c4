"""The submitter's half of a review: what opens its package, what signs decisions, and what was asked for.

`bauta submit --review` leaves two files beside the result: OUT.review, the package as the worker sealed it to
the submitter, and OUT.review-key, which is this. It holds all that a second run needs, and is the submitter's
alone, as an identity file is.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave.errors import EnclaveError
from enclave.policy import Instructions, ReviewInstructions, Terms
from enclave.policy.instructions import instructions_from_object
from enclave.policy.terms import MAX_TERMS_BYTES, terms_from_object
from enclave.review.decisions import Decisions
from enclave.review.signed import SignedDecisions
from grpc_api.errors import invalid
from keyvault.age import AgeError, HybridIdentity
from keyvault.submitter.submission_key import SubmissionKey
from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

FORMAT = "bauta.review-key/v1"
SEED_BYTES = 32
MAX_KEY_BYTES = MAX_TERMS_BYTES + (64 << 10)


@dataclass(frozen=True)
class ReviewKey:
    """What the submitter keeps of a review.

    Attributes:
        seed: of the Ed25519 key that signs decisions, 32 bytes; made for this review alone.
        terms: of the job, and of every job that follows from its review.
        named: what else the worker was told: a pseudonym and its scope, or nothing. The same once more gives
            the same persona.
        identity: opens the package; None where the submitter has an identity file of their own.
    """

    seed: bytes = field(repr=False)
    terms: Terms
    named: Instructions = field(default_factory=Instructions, repr=False)
    identity: HybridIdentity | None = field(default=None, repr=False)

    @classmethod
    def new(
        cls, terms: Terms, identity: HybridIdentity | None, named: Instructions | None = None
    ) -> ReviewKey:
        """Makes the key of a new review.

        Args:
            terms: of the job.
            identity: of the result, where nobody else keeps it.
            named: a pseudonym and its scope.
        """
        return cls(secrets.token_bytes(SEED_BYTES), terms, named or Instructions(), identity)

    def first(self) -> Instructions:
        """Gives the instructions of a job that is to be reviewed."""
        return replace(self.named, review=ReviewInstructions(key=self._public_key))

    def again(self, signed: SignedDecisions, record: bytes) -> Instructions:
        """Gives the instructions of a job that does what was decided.

        Args:
            signed: by `sign`.
            record: goes into the upload beside them.
        """
        review = ReviewInstructions(
            key=self._public_key, record_bytes=len(record), decisions=signed.to_bytes()
        )
        return replace(self.named, review=review)

    def renewed(self, submitter: SubmissionKey | None = None) -> ReviewKey:
        """Gives the key for the next round, with a submission key of its own: the same would link the two.

        Where this review has an identity of its own, the next result goes to a fresh one. Its terms, which
        name the recipient, then have another digest: the two proofs share what every job under that policy
        shares, and no more.
        """
        terms = replace(self.terms, submitter=submitter)
        if self.identity is None:
            return replace(self, terms=terms)
        identity = HybridIdentity.generate()
        terms = replace(terms, recipients=(str(identity.recipient),))
        return replace(self, identity=identity, terms=terms)

    def sign(self, decisions: Decisions) -> SignedDecisions:
        """Signs decisions: from now on they are the submitter's word."""
        return SignedDecisions.sign(decisions, self._key)

    def to_bytes(self) -> bytes:
        """Gives the private file: canonical JSON and a newline."""
        return (
            canonical.dumps(
                {
                    "format": FORMAT,
                    "identity": self.identity.encode() if self.identity is not None else None,
                    "instructions": self.named.to_object(),
                    "seed": base64_text(self.seed),
                    "terms": self.terms.to_object(),
                }
            )
            + b"\n"
        )

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def _public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()


def parse_review_key(untrusted: bytes) -> ReviewKey:
    """Reads what `ReviewKey.to_bytes` wrote.

    Raises:
        ServiceError: `review_key_invalid`.
    """
    wrong = invalid("review_key_invalid", "The file is no review key that `bauta submit --review` wrote.")
    try:
        document = canonical.loads(untrusted.removesuffix(b"\n"), MAX_KEY_BYTES)
        if not isinstance(document, dict) or document.keys() != {
            "format",
            "identity",
            "instructions",
            "seed",
            "terms",
        }:
            raise wrong
        seed, identity = base64_bytes(document["seed"]), document["identity"]
        if document["format"] != FORMAT or len(seed) != SEED_BYTES or not isinstance(identity, str | None):
            raise wrong
        named = document["instructions"]
        return ReviewKey(
            seed=seed,
            terms=terms_from_object(document["terms"]),
            named=instructions_from_object(named) if named != {} else Instructions(),
            identity=HybridIdentity.parse(identity) if identity is not None else None,
        )
    except (FormatError, EnclaveError, AgeError):
        raise wrong from None
