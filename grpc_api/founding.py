"""The front desk's first acts: meet the vault, write the trust file, give up every other way to the vault.

Before the first of all starts ends, the record of used tokens is begun.
"""

from __future__ import annotations

from pathlib import Path

from enclave.wall import keep_out_of
from grpc_api.errors import ServiceError, invalid, unavailable
from grpc_api.outsiders import Outsiders
from grpc_api.premises import Premises
from keyvault.client import VaultClient, VaultDescription
from keyvault.submitter.spent import SpentStore
from provenance.anchors.place import AnchorPlace
from provenance.errors import ProvenanceError
from provenance.trust import MAX_TRUST_BYTES, Trust

# What a trust file says of the service itself: its vault's keys, which never change. The rest is whom else
# the operator asks to vouch, and follows the configuration.
_OWN_FIELDS = ("node", "log_origin", "log_vkeys", "releases", "required_signatures", "credential_roots")


def establish(premises: Premises, vault: VaultClient, outsiders: Outsiders) -> VaultDescription:
    """Meets the vault, writes the trust file, and gives up every way to the vault but its channel.

    To be called before the process has a second thread.

    Raises:
        ServiceError: `trust_changed`, `config_invalid`.
        KeyvaultError: the vault does not answer, or the record of used tokens cannot be begun.
        EnclaveError: the vault's folder could not be closed.
    """
    premises.desk.mkdir(mode=0o700, parents=True, exist_ok=True)
    begin_record(premises)
    description = vault.describe()
    keep_trust(premises.trust_file, trust_of(description, outsiders))
    keep_out_of(premises.vault)
    return description


def begin_record(premises: Premises) -> None:
    """Begins the record of used tokens, at the first start of all and never again.

    A record that is gone later on is not replaced: each token that it knew would be good once more. So it is
    there before anybody asks for tokens.

    Raises:
        KeyvaultError: `spent_store_unavailable`.
    """
    # The trust file is the last thing that a first start writes.
    if not premises.trust_file.exists() and not premises.spent.exists():
        SpentStore.create(premises.spent).close()


def trust_of(description: VaultDescription, outsiders: Outsiders) -> Trust:
    """What a verifier has to believe of this service.

    Raises:
        ServiceError: `config_invalid`, the outsiders are such that no trust file can name them.
    """
    try:
        return Trust(
            node=description.node,
            log_origin=description.log_origin,
            log_vkeys=description.log_vkeys,
            releases=description.release_keys,
            witness_policy=outsiders.witness_policy,
            timestamp_roots=outsiders.timestamp_roots,
            required_timestamps=outsiders.required_timestamps,
            credential_roots=(description.credential_root,),
            anchors=_places_of(description, outsiders),
        )
    except ProvenanceError as error:
        raise invalid("config_invalid", f"The configuration is not valid: {error}.") from None


def _places_of(description: VaultDescription, outsiders: Outsiders) -> tuple[AnchorPlace, ...]:
    asked = outsiders.anchors
    if asked is None:
        return ()
    if not description.anchorer:
        # Who starts the vault reads the same file, a moment before: it was changed in between.
        raise invalid("config_invalid", "The configuration is not valid: the vault was told of no `anchors`.")
    return (AnchorPlace(asked.chain_id, asked.contract, description.anchorer),)


def keep_trust(path: Path, trust: Trust) -> None:
    """Writes the trust file; a vault with other keys than a file that is there names is refused.

    Raises:
        ServiceError: `trust_changed`.
    """
    content = trust.to_bytes()
    if path.exists():
        known = _read(path)
        if any(getattr(known, name) != getattr(trust, name) for name in _OWN_FIELDS):
            raise _changed()
        if path.read_bytes() == content:
            return
    temporary = path.with_suffix(".new")
    temporary.write_bytes(content)
    temporary.replace(path)


def _read(path: Path) -> Trust:
    try:
        with path.open("rb") as stream:
            return Trust.from_bytes(stream.read(MAX_TRUST_BYTES + 1))
    except ProvenanceError:
        raise _changed() from None


def _changed() -> ServiceError:
    return unavailable(
        "trust_changed",
        "The vault's keys are not those of trust.json in the data folder; "
        "one of the two was exchanged, and proofs of one do not verify with the other.",
    )
