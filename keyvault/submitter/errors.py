"""What goes wrong between a source and a portal: a code, and one sentence for people."""

from __future__ import annotations

from keyvault.errors import KeyvaultError


class SubmitterError(KeyvaultError):
    """A proof, a token or the record of their use is refused. The text never holds a key, a scope or a token.

    Codes:
        Group: scalar_invalid, point_invalid.
        Proofs: scope_invalid, occasion_invalid, statement_invalid, proof_invalid, proof_false.
        Blind signatures: issuer_key_invalid, blind_message_invalid, blind_signature_invalid, blinding_failed,
            signing_failed.
        Tokens: token_invalid, token_other_issuer, token_false.
        Files and terms: paper_invalid, submission_key_invalid.
        Use: token_spent, proof_used, realm_retired, spent_store_invalid, spent_store_unavailable.

    Attributes:
        code: as above.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
