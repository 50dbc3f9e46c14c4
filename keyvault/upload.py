"""What an age file must be, to be taken as an upload: sealed to post-quantum recipients only.

One classic recipient beside the intake, and whoever keeps the ciphertext opens it with a quantum computer one
day. age's own tools refuse to make such a file; a changed client, or a person at a shell who strings stanzas
together, can make one. The service refuses it before it keeps the file key.
"""

from __future__ import annotations

from keyvault.age.header import Header
from keyvault.age.hybrid import KIND
from keyvault.errors import KeyvaultError
from provenance.algorithms.registry import KEMS

POST_QUANTUM_KINDS = frozenset(kem.name for kem in KEMS.values() if kem.seals_for_bauta)
GREASE = "grease"


class UploadSuiteError(KeyvaultError):
    """An upload that others than holders of post-quantum identities may open."""

    code = "upload_not_post_quantum"


def insist_on_post_quantum(header: Header) -> None:
    """Accepts a header whose every stanza is post-quantum or grease.

    A list of what is allowed, not of what is not: a kind that nobody here knows may be as weak as X25519.
    Grease (a stanza of a random kind that ends in "-grease", which some age programs add so that readers stay
    tolerant) wraps nothing.

    Args:
        header: parsed; its MAC, which only a file key can check, says that no stanza was added on the way.

    Raises:
        UploadSuiteError: no stanza is post-quantum, or one is something else.
    """
    kinds = [stanza.kind for stanza in header.stanzas if not _is_grease(stanza.kind)]
    if not kinds or not POST_QUANTUM_KINDS.issuperset(kinds):
        raise UploadSuiteError(
            f"an upload is sealed to {KIND} recipients and no others; seal it again, to the intake alone"
        )


def _is_grease(kind: str) -> bool:
    return kind == GREASE or kind.endswith("-" + GREASE)
