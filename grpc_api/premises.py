"""Where the front desk keeps things."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Premises:
    """Where the front desk keeps things; all of it hashes and ciphertext.

    Attributes:
        data: the data folder of the service, mode 0700.
    """

    data: Path

    @property
    def desk(self) -> Path:
        """The front desk's own folder."""
        return self.data / "desk"

    @property
    def vault(self) -> Path:
        """The vault's folder: not the front desk's to see."""
        return self.data / "vault"

    @property
    def trust_file(self) -> Path:
        """The trust file for verifiers."""
        return self.data / "trust.json"

    @property
    def releases(self) -> Path:
        """Releases of worker versions, as the operator got them."""
        return self.data / "releases"

    @property
    def own_release(self) -> Path:
        """The vault's own release of the worker that was last there."""
        return self.desk / "worker_release.json"

    @property
    def spent(self) -> Path:
        """The record of used tokens."""
        return self.desk / "spent.sqlite"

    @property
    def public(self) -> Path:
        """Proof files of what the service says of itself, for everybody."""
        return self.desk / "public"

    @property
    def anchors(self) -> Path:
        """Anchors of the log on chains: static files, as the log's are."""
        return self.desk / "anchors"

    @property
    def tls(self) -> Path:
        """Certificates of the service."""
        return self.data / "tls"
