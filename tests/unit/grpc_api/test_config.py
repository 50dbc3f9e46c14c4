"""The configuration file is strict and names the key at fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from enclave.wall import DEFAULT_FLOOR
from grpc_api.config import ServiceConfig, load_config
from grpc_api.errors import ServiceError

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
