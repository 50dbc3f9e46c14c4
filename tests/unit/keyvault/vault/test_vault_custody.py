"""What a custodian's code can do from its child process, which modules are loaded, and what may be chosen."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from contract import kms_double

from keyvault.vault.custody.apart import call_apart
from keyvault.vault.custody.choice import CustodyChoice
from keyvault.vault.custody.errors import MESSAGES, CustodyError
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.custody.module import trusted_module
from keyvault.vault.errors import VaultStartError
from keyvault.vault.memory import Secret, memory_protection
from tests.unit.keyvault.vault.harness import RunningVault


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(VaultStartError) as reason:
        call()
    return reason.value.code


def _crash() -> Any:
    os.kill(os.getpid(), signal.SIGSEGV)


def _raise_with_secrets() -> NoReturn:
    raise RuntimeError("the PIN is 445566")


def _refuse(code: str) -> NoReturn:
    raise CustodyError(code, "a message that a custodian wrote")


MISBEHAVIOUR: list[tuple[str, str, Callable[[], Any]]] = [
    ("it crashes", "vault_custodian_died", _crash),
    ("it leaves", "vault_custodian_died", lambda: os._exit(0)),
    ("it raises anything", "vault_custodian_failed", _raise_with_secrets),
    ("it exits", "vault_custodian_failed", lambda: sys.exit("the PIN is 445566")),
    ("it answers nothing", "vault_custodian_failed", lambda: None),
    ("it answers a list", "vault_custodian_failed", lambda: ["x"]),
    ("it answers what is no JSON", "vault_custodian_failed", lambda: {"key": b"bytes"}),
    ("it answers too much", "vault_custodian_failed", lambda: {"key": "x" * 20_000}),
    ("it answers without end", "vault_custodian_failed", lambda: {"key": "x" * 900_000}),
    ("it says no", "vault_custodian_denied", lambda: _refuse("vault_custodian_denied")),
    ("it says no in words of its own", "vault_custodian_failed", lambda: _refuse("my_own_code")),
]


@pytest.mark.parametrize(("name", "code", "task"), MISBEHAVIOUR, ids=[row[0] for row in MISBEHAVIOUR])
def test_a_custodian_that_misbehaves_is_one_code(
    capfd: pytest.CaptureFixture[str], name: str, code: str, task: Callable[[], Any]
) -> None:
    with pytest.raises(CustodyError) as reason:
        call_apart(task)
    assert (reason.value.code, str(reason.value)) == (code, MESSAGES[code])
    assert capfd.readouterr() == ("", "")


def test_a_custodian_that_hangs_is_ended(tmp_path: Path) -> None:
    def hang() -> Any:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(600)

    assert refusal(lambda: call_apart(hang, timeout_seconds=0.5)) == "vault_custodian_timeout"
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()


def test_what_it_leaves_behind_is_ended_with_it(tmp_path: Path) -> None:
    """A thread that goes on after the answer does not outlive the call."""
    answer = call_apart(lambda: {"pid": os.getpid()})
    assert answer.keys() == {"pid"}
    with pytest.raises(ChildProcessError):
        os.waitpid(answer["pid"], os.WNOHANG)


def test_the_child_is_walled_and_empty_handed() -> None:
    channel, other_end = os.pipe()

    def look() -> dict[str, Any]:
        libc = ctypes.CDLL(None)
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return {
            "descriptors": sorted(int(fd.name) for fd in Path("/proc/self/fd").iterdir()),
            "dumpable": libc.prctl(3, 0, 0, 0, 0),
            "no_new_privs": int(status["NoNewPrivs"]),
            "output": "".join(str(Path(f"/proc/self/fd/{fd}").readlink()) for fd in (1, 2)),
        }

    seen = call_apart(look)
    assert os.fstat(channel)
    os.close(channel)
    os.close(other_end)
    # Its three standard descriptors, which lead nowhere, the one for its answer, and that of the looking.
    assert len(seen["descriptors"]) <= 5
    assert channel not in seen["descriptors"]
    assert other_end not in seen["descriptors"]
    assert (seen["dumpable"], seen["no_new_privs"]) == (0, 1)
    assert seen["output"] == 2 * os.devnull


def test_it_sees_the_secret_it_is_handed_and_no_other() -> None:
    own = Secret.random(32)
    with Secret(32, inheritable=True) as handed_over:
        handed_over.view[:4] = b"PIN!"

        def use() -> dict[str, Any]:
            assert handed_over.view[:4] == b"PIN!"
            handed_over.view[:4] = b"key!"
            return {}

        call_apart(use)
        assert handed_over.view[:4] == b"key!"
    # There is nothing at its address: reading it ends the child.
    assert refusal(lambda: call_apart(lambda: {"stolen": bytes(own.view).hex()})) == "vault_custodian_died"
    own.close()


def _module(folder: Path) -> Path:
    folder.mkdir()
    path = folder / "module.so"
    path.touch(0o644)
    return path


def _link(path: Path) -> Path:
    link = path.parent.parent / "link.so"
    link.symlink_to(path)
    return link


def _foreign(path: Path) -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 65534, 65534)
    return path


def _mode(path: Path, mode: int, of: Path | None = None) -> Path:
    (of or path).chmod(mode)
    return path


MODULES: list[tuple[str, bool, Callable[[Path], Path]]] = [
    ("a file of one's own", True, lambda path: path),
    ("a link of one's own to it", True, _link),
    ("a relative path", False, lambda path: Path(os.path.relpath(path))),
    ("a path that leads nowhere", False, lambda path: path.with_name("none.so")),
    ("a folder", False, lambda path: path.parent),
    ("a device", False, lambda _: Path("/dev/zero")),
    ("a file the group can write", False, lambda path: _mode(path, 0o664)),
    ("a file others can write", False, lambda path: _mode(path, 0o646)),
    ("a file of another user", False, _foreign),
    ("a folder others can write to", False, lambda path: _mode(path, 0o757, path.parent)),
    (
        "a link out of a folder others can write to",
        False,
        lambda path: _mode(_link(path), 0o777, path.parent),
    ),
    (
        "a link in a folder others can write to",
        False,
        lambda path: _mode(_link(path), 0o777, path.parents[1]),
    ),
    ("a sticky folder", True, lambda path: _mode(path, 0o1777, path.parent)),
]


@pytest.mark.parametrize(("name", "trusted", "make"), MODULES, ids=[row[0] for row in MODULES])
def test_a_module_that_others_could_change_is_not_loaded(
    tmp_path: Path, name: str, trusted: bool, make: Callable[[Path], Path]
) -> None:
    module = _module(tmp_path / "modules")
    given = make(module)
    if trusted:
        assert trusted_module(given) == module
    else:
        assert refusal(lambda: trusted_module(given)) == "vault_token_module_unsafe"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("passphrase and custodian", {"passphrase_fd": 7, "custodian": "kms"}),
        ("token and passphrase", {"passphrase_fd": 7, "pkcs11_token": "one"}),
        ("a module alone", {"pkcs11_module": Path("/m.so")}),
        ("a module and a PIN", {"pkcs11_module": Path("/m.so"), "pkcs11_pin_fd": 7}),
        ("no label", {"pkcs11_module": Path("/m.so"), "pkcs11_pin_fd": 7, "pkcs11_token": ""}),
        ("a configuration of nothing", {"custodian_config": Path("/c")}),
    ],
)
def test_an_unclear_choice_is_refused(name: str, options: dict[str, Any]) -> None:
    assert refusal(lambda: CustodyChoice(**options)) == "vault_config_invalid"


def test_without_a_choice_there_is_a_key_file(tmp_path: Path) -> None:
    with CustodyChoice().open(tmp_path) as custodian:
        assert custodian == KeyFile(tmp_path / "master.key")


def test_a_passphrase_and_a_pin_are_gone_once_the_store_is_open(tmp_path: Path) -> None:
    for option, more in (
        ("passphrase_fd", {}),
        ("pkcs11_pin_fd", {"pkcs11_module": Path("/m.so"), "pkcs11_token": "one"}),
    ):
        reading_end, pipe = os.pipe()
        os.write(pipe, b"445566\n")
        os.close(pipe)
        with CustodyChoice(**{option: reading_end, **more}).open(tmp_path) as custodian:
            secret = getattr(custodian, "secret", None) or vars(custodian)["pin"]
            view = secret.view
            assert view == b"445566"
        assert view == bytes(6)
        with pytest.raises(RuntimeError):
            _ = secret.view


HEADERS: list[tuple[str, str | None, tuple[str, str]]] = [
    ("no store yet", None, ("none", "")),
    ("a token", '{"unlock":{"kind":"pkcs11"}}', ("pkcs11", "")),
    (
        "an installed one",
        '{"unlock":{"kept":{},"kind":"installed","name":"my-kms"}}',
        ("installed", "my-kms"),
    ),
    ("an unknown one", '{"unlock":{"kind":"nobody"}}', ("unreadable", "")),
    ("a list", "[]", ("unreadable", "")),
    ("text", '{"unlock":"key-file"}', ("unreadable", "")),
    ("no JSON", "{", ("unreadable", "")),
    ("a name that is no text", '{"unlock":{"kind":"installed","name":1}}', ("unreadable", "")),
]


@pytest.mark.parametrize(("name", "header", "expected"), HEADERS, ids=[row[0] for row in HEADERS])
def test_facts_are_told_without_opening_the_store(
    tmp_path: Path, name: str, header: str | None, expected: tuple[str, str]
) -> None:
    if header is not None:
        (tmp_path / "keystore").mkdir()
        (tmp_path / "keystore" / "header.json").write_text(header)
    command = [sys.executable, "-m", "keyvault.vault.custody", "--store", str(tmp_path)]
    facts = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=30).stdout)
    assert (facts["custody"], facts["custodian"]) == expected
    assert facts["vault_memory"] == str(memory_protection())
    assert isinstance(facts["is_all_memory_locked"], bool)


@pytest.mark.parametrize(
    "options",
    [
        ["--pkcs11-module", "/module.so"],
        ["--pkcs11-token", "label"],
        ["--custodian-config", __file__],
        ["--custodian", "kms", "--ask-passphrase"],
        ["--custodian", "kms", "--pkcs11-module", "/module.so", "--pkcs11-token", "label"],
    ],
    ids=" ".join,
)
def test_bauta_serve_refuses_an_unclear_choice_as_wrong_usage(
    tmp_path: Path, bauta: list[str], options: list[str]
) -> None:
    tmp_path.chmod(0o700)
    done = subprocess.run(
        [*bauta, "serve", "--data", str(tmp_path), *options], capture_output=True, timeout=60, input=b""
    )
    assert done.returncode == 2
    assert not (tmp_path / "vault").exists()


def test_a_vault_lives_under_an_installed_custodian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    kms_double.install(site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    config = kms_double.make_service(tmp_path / "kms")
    options = ("--custodian", "test-kms", "--custodian-config", str(config))
    described = []
    for _ in range(2):
        with RunningVault(tmp_path / "vault", *options) as vault:
            described.append(vault.client.describe())
            assert vault.stop() == (0, "")
    assert described[0] == described[1]
    (config.parent / "denied").touch()
    with RunningVault(tmp_path / "vault", *options) as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert errors.startswith(b"bauta vault: vault_custodian_denied: ")
