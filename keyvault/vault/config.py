"""Every limit of the vault, with its unit in its name."""

from __future__ import annotations

from dataclasses import dataclass

from keyvault.vault.errors import VaultStartError


@dataclass(frozen=True)
class VaultConfig:
    """How long keys live and how much the vault takes in.

    Attributes:
        intake_lifetime_seconds: how long an intake key is announced for.
        intake_grace_seconds: how much longer it takes uploads whose sealing began in time; then it is
            destroyed.
        max_intake_keys: most intake keys alive at once.
        accepted_lifetime_seconds: how long an accepted upload's file key waits for its job.
        max_accepted_uploads: most accepted uploads at once.
        hello_wait_seconds: how long an announcement waits for the worker host's first word.
        release_timeout_seconds: from a job's registration to the end of its release, recording included.
        max_open_releases: most jobs registered and not yet answered.
        max_front_request_bytes: largest request of the front desk.
        max_hello_bytes: largest WorkerHello.
        max_release_request_bytes: largest ReleaseRequest.
        max_age_header_bytes: largest age header of an upload.
        max_open_follow_ups: most jobs with their key whose child may still ask for derived keys or a claim.
        max_derive_request_bytes: largest DeriveRequest.
        max_claim_request_bytes: largest ClaimRequest.
        max_ring_request_bytes: largest RingRequest.
        max_open_disclosures: most disclosure workers that wait for their custodians.
        max_wrapped_keys_request_bytes: largest WrappedKeysRequest.

    Raises:
        VaultStartError: a limit makes no sense.
    """

    intake_lifetime_seconds: int = 3600
    intake_grace_seconds: int = 3600
    max_intake_keys: int = 64
    accepted_lifetime_seconds: int = 7 * 24 * 3600
    max_accepted_uploads: int = 4096
    hello_wait_seconds: float = 30.0
    release_timeout_seconds: float = 60.0
    max_open_releases: int = 32
    max_front_request_bytes: int = 256 << 10
    max_hello_bytes: int = 64 << 10
    max_release_request_bytes: int = 80 << 10
    max_age_header_bytes: int = 64 << 10
    max_open_follow_ups: int = 64
    max_derive_request_bytes: int = 1 << 10
    max_claim_request_bytes: int = 1 << 10
    max_ring_request_bytes: int = 512 << 10
    max_open_disclosures: int = 16
    max_wrapped_keys_request_bytes: int = 256 << 10

    def __post_init__(self) -> None:
        if self.intake_lifetime_seconds < 1 or self.intake_grace_seconds < 0:
            raise VaultStartError(
                "vault_config_invalid", "an intake key must live for a second at least and not less after it"
            )
        if self.accepted_lifetime_seconds < 1 or self.max_accepted_uploads < 1:
            raise VaultStartError("vault_config_invalid", "an accepted upload must be kept for a while")
        if (
            self.hello_wait_seconds < 0
            or self.release_timeout_seconds <= 0
            or min(self.max_open_releases, self.max_open_follow_ups, self.max_open_disclosures) < 1
        ):
            raise VaultStartError("vault_config_invalid", "the vault's waits and caps must be positive")
