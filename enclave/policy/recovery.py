"""Whether covers can be taken off again, by whom is another document's to say (`keyvault.custody.policy`)."""

from __future__ import annotations

from dataclasses import dataclass

from enclave.policy.fields import Table

COVERS = "covers"
KEPT = (COVERS,)


@dataclass(frozen=True)
class RecoveryPolicy:
    """What is kept for custodians.

    Attributes:
        keep: "covers": what lay under the covers, encrypted, for a quorum of custodians; empty for nothing,
            and then nobody can bring back what was covered.
    """

    keep: str = ""

    @property
    def keeps(self) -> bool:
        """Whether a quorum can have something uncovered."""
        return bool(self.keep)


def read_recovery(table: Table | None) -> RecoveryPolicy:
    """Reads `[recovery]`, which may be left out: what is covered is then gone for good.

    Raises:
        PolicyError: a key is missing, unknown or wrong.
    """
    if table is None:
        return RecoveryPolicy()
    keep = table.choice("keep", KEPT)
    table.finish()
    return RecoveryPolicy(keep=keep)
