"""Names that C2PA and X.509 give to things; who makes a manifest and who reads one need the same."""

from __future__ import annotations

from typing import Final

ACTIONS_LABEL: Final = "c2pa.actions.v2"
DATA_HASH_LABEL: Final = "c2pa.hash.data"
BMFF_HASH_LABEL: Final = "c2pa.hash.bmff.v3"
BINDING_LABELS: Final = (DATA_HASH_LABEL, BMFF_HASH_LABEL)
# Entity-specific labels start with a domain name, turned round (C2PA 2.2, 6.2.1).
EVIDENCE_LABEL: Final = "org.bauta.evidence"

CLAIM_SIGNING: Final = "1.3.6.1.4.1.62558.2.1"
"""c2pa-kp-claimSigning: what a signer's certificate is for (C2PA 2.2, 14.5.1)."""

DOCUMENT_SIGNING: Final = "1.3.6.1.5.5.7.3.36"
"""RFC 9336; readers that are older than the other one look for it."""
