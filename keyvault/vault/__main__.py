"""`python -m keyvault.vault --front-fd N --worker-fd N --store DIR` and who keeps the master key.

No secret is ever on this command line or in the environment. Exit codes: 0, the front channel closed;
1, it could not start, with one line "bauta vault: CODE: what to do" on standard error; 2, wrong usage.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

from keyvault.vault.anchoring import AnchorOrders
from keyvault.vault.config import VaultConfig
from keyvault.vault.custody.choice import CustodyChoice
from keyvault.vault.errors import VaultStartError
from keyvault.vault.process import VaultOptions, run_vault
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.trust import parse_public_key
from provenance.witness.policy import MAX_POLICY_BYTES, WitnessPolicy, parse_policy


def main(arguments: list[str] | None = None) -> int:
    """Runs the vault and gives its exit code."""
    logging.basicConfig(level=logging.WARNING, format="bauta vault: %(message)s")
    try:
        run_vault(_options(arguments))
    except VaultStartError as reason:
        sys.stderr.write(f"bauta vault: {reason.code}: {reason}\n")
        return 1
    return 0


def _options(arguments: list[str] | None) -> VaultOptions:
    defaults = VaultConfig()
    parser = argparse.ArgumentParser(
        prog="python -m keyvault.vault",
        description="Holds the private keys of one Bauta service. Started by `bauta serve`, not by hand.",
        allow_abbrev=False,
    )
    parser.add_argument("--front-fd", type=int, required=True, metavar="N", help="the front desk's channel")
    parser.add_argument("--worker-fd", type=int, required=True, metavar="N", help="the worker host's channel")
    parser.add_argument("--store", type=Path, required=True, metavar="DIR", help="the vault's own folder")
    parser.add_argument("--passphrase-fd", type=int, metavar="N", help="where to read the passphrase")
    parser.add_argument("--pkcs11-module", type=Path, metavar="PATH", help="a token's PKCS#11 library")
    parser.add_argument("--pkcs11-token", metavar="LABEL", help="the token's label")
    parser.add_argument("--pkcs11-pin-fd", type=int, metavar="N", help="where to read its user PIN")
    parser.add_argument("--custodian", metavar="NAME", help="an installed custodian of the master key")
    parser.add_argument("--custodian-config", type=Path, metavar="FILE", help="its configuration")
    parser.add_argument(
        "--release-key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="a public key whose releases count, fixed when the vault is made; may be repeated",
    )
    parser.add_argument("--witness-policy-fd", type=int, metavar="N", help="where to read the witness policy")
    parser.add_argument("--anchor-chain-id", type=int, metavar="N", help="sign anchors for this chain...")
    parser.add_argument(
        "--anchor-contract", metavar="ADDRESS", help="...this contract, 40 hexadecimal digits..."
    )
    parser.add_argument("--anchor-max-wei", type=int, metavar="N", help="...and at most so much for each")
    for name, kind in (
        ("intake_lifetime_seconds", int),
        ("intake_grace_seconds", int),
        ("hello_wait_seconds", float),
        ("release_timeout_seconds", float),
        ("max_open_releases", int),
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, default=getattr(defaults, name), metavar="N"
        )
    chosen = parser.parse_args(arguments)
    return VaultOptions(
        front_fd=chosen.front_fd,
        worker_fd=chosen.worker_fd,
        folder=chosen.store,
        custody=CustodyChoice(
            passphrase_fd=chosen.passphrase_fd,
            pkcs11_module=chosen.pkcs11_module,
            pkcs11_token=chosen.pkcs11_token,
            pkcs11_pin_fd=chosen.pkcs11_pin_fd,
            custodian=chosen.custodian,
            custodian_config=chosen.custodian_config,
        ),
        release_keys=tuple(_release_key(path) for path in chosen.release_key),
        config=VaultConfig(
            intake_lifetime_seconds=chosen.intake_lifetime_seconds,
            intake_grace_seconds=chosen.intake_grace_seconds,
            hello_wait_seconds=chosen.hello_wait_seconds,
            release_timeout_seconds=chosen.release_timeout_seconds,
            max_open_releases=chosen.max_open_releases,
        ),
        witness_policy=_witness_policy(chosen.witness_policy_fd),
        anchors=_anchor_orders(chosen.anchor_chain_id, chosen.anchor_contract, chosen.anchor_max_wei),
    )


def _witness_policy(fd: int | None) -> WitnessPolicy | None:
    """Reads what the supervisor put there: the front desk has no say in whose cosignatures count."""
    if fd is None:
        return None
    try:
        with os.fdopen(fd, "rb") as file:
            return parse_policy(file.read(MAX_POLICY_BYTES + 1))
    except (OSError, ProvenanceError) as error:
        raise VaultStartError(
            "witness_policy_invalid", f"the witness policy cannot be used: {error}"
        ) from None


def _anchor_orders(chain_id: int | None, contract: str | None, max_wei: int | None) -> AnchorOrders | None:
    """What the supervisor allows; as with the witness policy, the front desk has no say in it."""
    if chain_id is None and contract is None and max_wei is None:
        return None
    try:
        address = bytes.fromhex(contract or "")
    except ValueError:
        address = b""
    return AnchorOrders(chain_id or 0, address, max_wei or 0)


def _release_key(path: Path) -> HybridPublicKey:
    try:
        return parse_public_key(path.read_bytes())
    except (OSError, ProvenanceError):
        raise VaultStartError("release_key_invalid", "a release key cannot be read as a public key") from None


if __name__ == "__main__":
    sys.exit(main())
