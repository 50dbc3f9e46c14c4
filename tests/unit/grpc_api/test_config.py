"""The configuration file is strict and names the key at fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from enclave.wall import DEFAULT_FLOOR
from grpc_api.config import ServiceConfig, load_config
from grpc_api.errors import ServiceError

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a clock")])


def root_certificate() -> x509.Certificate:
    """A certificate that signs itself."""
    key, now = Ed25519PrivateKey.generate(), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, None)


BAD = {
    "no TOML": ("[service", "TOML"),
    "unknown table": ("[sevrice]\n", "`sevrice`"),
    "unknown key": ("[service]\nmax_uplod_bytes = 1\n", "`max_uplod_bytes`"),
    "wrong type": ('[service]\nmax_frames = "many"\n', "`max_frames`"),
    "a bool is no number": ("[service]\nmax_frames = true\n", "`max_frames`"),
    "zero": ("[service]\nmax_frames = 0\n", "`max_frames`"),
    "negative": ("[service]\ndrain_seconds = -1\n", "`drain_seconds`"),
    "service is no table": ("service = 1\n", "`service`"),
    "a floor that is no list": ('[service]\nwall_floor = "seccomp"\n', "`wall_floor`"),
    "a floor of numbers": ("[service]\nwall_floor = [1]\n", "`wall_floor`"),
    "witnesses are no table": ("witnesses = 1\n", "`witnesses`"),
    "an unknown key of witnesses": ('[witnesses]\npolcy = "x"\n', "`witnesses.polcy`"),
    "a policy that is not there": ('[witnesses]\npolicy = "nowhere"\n', "`witnesses.policy`"),
    "urls that are no list": ('[timestamps]\nurls = "https://tsa.example"\n', "`timestamps.urls`"),
    "a url of another kind": ('[timestamps]\nurls = ["file:///etc/passwd"]\n', "`timestamps.urls`"),
    "a url with a password": ('[timestamps]\nurls = ["http://me:secret@tsa.example"]\n', "`timestamps.urls`"),
    "a url that is none": ('[timestamps]\nurls = ["http://["]\n', "`timestamps.urls`"),
    "a url twice": ('[timestamps]\nurls = ["http://a", "http://a"]\n', "`timestamps.urls`"),
    "a root that is no certificate": ('[timestamps]\nroots = ["bauta.toml"]\n', "`timestamps.roots`"),
    "more required than there are roots": ("[timestamps]\nrequired = 1\n", "`timestamps.required`"),
    "a required bool": ("[timestamps]\nrequired = false\n", "`timestamps.required`"),
    "a floor with an unknown wall": ('[service]\nwall_floor = ["seccomp", "moat"]\n', "`moat`"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_configurations_are_refused_by_name(name: str, tmp_path: Path) -> None:
    text, named = BAD[name]
    path = tmp_path / "bauta.toml"
    path.write_text(text)
    with pytest.raises(ServiceError, match=named) as refused:
        load_config(path)
    assert refused.value.code == "config_invalid"


def test_given_keys_win_and_the_rest_stays(tmp_path: Path) -> None:
    path = tmp_path / "bauta.toml"
    path.write_text("[service]\nmax_frames = 10\n")
    assert load_config(path) == ServiceConfig(max_frames=10)
    assert load_config(None) == ServiceConfig()


def test_the_floor_is_what_the_file_says_and_else_the_default(tmp_path: Path) -> None:
    path = tmp_path / "bauta.toml"
    path.write_text('[service]\nwall_floor = ["seccomp", "landlock_fs", "pid_namespace"]\n')
    assert load_config(path).wall_floor == ("seccomp", "landlock_fs", "pid_namespace")
    path.write_text("[service]\nmax_frames = 10\n")
    assert load_config(path).wall_floor == DEFAULT_FLOOR


def test_outsiders_come_from_files_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "witnesses.policy").write_text("quorum none\n")
    (tmp_path / "root.pem").write_bytes(root_certificate().public_bytes(Encoding.PEM))
    path = tmp_path / "bauta.toml"
    path.write_text(
        '[witnesses]\npolicy = "witnesses.policy"\n'
        '[timestamps]\nurls = ["https://tsa.example/tsr"]\nroots = ["root.pem"]\nrequired = 1\n'
    )
    outsiders = load_config(path).outsiders
    assert outsiders.witness_policy == "quorum none\n"
    assert outsiders.timestamp_urls == ("https://tsa.example/tsr",)
    [root] = outsiders.timestamp_roots
    assert x509.load_der_x509_certificate(root).subject == NAME
    assert outsiders.required_timestamps == 1
