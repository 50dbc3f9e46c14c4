"""The trust file stays that of one vault; whom the operator asks to vouch may change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grpc_api.anchors.config import AnchorConfig
from grpc_api.errors import ServiceError
from grpc_api.founding import keep_trust, trust_of
from grpc_api.outsiders import Outsiders
from keyvault.client import VaultDescription
from keyvault.signing.hybrid import HybridSigner
from keyvault.signing.log import LogSigner
from provenance.anchors.place import AnchorPlace
from provenance.trust import Trust


def description() -> VaultDescription:
    node = HybridSigner.generate().public
    log = LogSigner.generate("bauta.test/founding")
    return VaultDescription(
        node=node,
        log_origin=log.origin,
        log_vkeys=log.vkeys,
        release_keys=(node,),
        credential_root=b"a certificate",
    )


def test_a_first_start_writes_the_file(tmp_path: Path) -> None:
    trust = trust_of(description(), Outsiders())
    keep_trust(tmp_path / "trust.json", trust)
    assert Trust.from_bytes((tmp_path / "trust.json").read_bytes()) == trust
    assert [path.name for path in tmp_path.iterdir()] == ["trust.json"]


def test_other_outsiders_are_written_into_it(tmp_path: Path) -> None:
    path, vault = tmp_path / "trust.json", description()
    keep_trust(path, trust_of(vault, Outsiders()))
    later = trust_of(vault, Outsiders(timestamp_roots=(b"a root",), required_timestamps=1))
    keep_trust(path, later)
    assert Trust.from_bytes(path.read_bytes()) == later


@pytest.mark.parametrize(
    "name", ["another vault", "another log", "another root of credentials", "damaged", "cut short"]
)
def test_another_vault_is_refused_and_the_file_stays(name: str, tmp_path: Path) -> None:
    path, vault = tmp_path / "trust.json", description()
    keep_trust(path, trust_of(vault, Outsiders()))
    offered = {
        "another vault": lambda: replace(vault, node=description().node),
        "another log": description,
        "another root of credentials": lambda: replace(vault, credential_root=b"another certificate"),
    }.get(name, lambda: vault)()
    if name == "damaged":
        path.write_bytes(b"{}")
    if name == "cut short":
        path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    with pytest.raises(ServiceError) as refused:
        keep_trust(path, trust_of(offered, Outsiders()))
    assert refused.value.code == "trust_changed"
    assert path.read_bytes() == before


def test_outsiders_that_no_trust_file_can_name_are_a_bad_configuration() -> None:
    with pytest.raises(ServiceError) as refused:
        trust_of(description(), Outsiders(timestamp_roots=(b"x" * 10_000,)))
    assert refused.value.code == "config_invalid"


def test_the_trust_file_names_the_chain_and_the_vault_s_address(tmp_path: Path) -> None:
    vault, asked = description(), AnchorConfig("http://node.test", 5, b"\x0c" * 20)
    with pytest.raises(ServiceError) as refused:
        trust_of(vault, Outsiders(anchors=asked))
    assert refused.value.code == "config_invalid", "a vault without orders signs nothing"
    vault = replace(vault, anchorer=b"\x0a" * 20)
    trust = trust_of(vault, Outsiders(anchors=asked))
    assert trust.anchors == (AnchorPlace(5, b"\x0c" * 20, b"\x0a" * 20),)
    assert trust_of(vault, Outsiders()).anchors == (), "who is not asked is not believed"
    keep_trust(tmp_path / "trust.json", trust_of(vault, Outsiders()))
    keep_trust(tmp_path / "trust.json", trust)
    assert Trust.from_bytes((tmp_path / "trust.json").read_bytes()) == trust
