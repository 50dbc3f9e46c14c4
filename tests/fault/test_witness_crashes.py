"""A witness that dies between remembering and signing never signs a second history."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from witness_process import WitnessProcess

from console.witness_desk import WitnessDesk
from console.witness_folder import WitnessFolder
from keyvault.signing.witness import WitnessSigner
from keyvault.witness_key import WitnessKey
from provenance.errors import LogError
from provenance.witness.errors import ConflictError, InconsistentError
from provenance.witness.known_logs import parse_known_logs
from tests.interop.witness_by_hand import HandLog, holds

# The child dies where its argument says, by the signal that nobody can catch.
CHILD = """
import os, signal, sys
from pathlib import Path
from console import witness_desk, witness_folder
from console.witness_folder import WitnessFolder
from keyvault.witness_key import WitnessKey
from provenance.witness.known_logs import parse_known_logs

moment, root, body, logs = sys.argv[1], *map(Path, sys.argv[2:])
folder = WitnessFolder(root)
signer = WitnessKey.read(folder.key_file, lambda: "").signer
die = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
if moment == "before the head is remembered":
    WitnessFolder.remember = die
if moment == "between remembering and signing":
    type(signer).cosign = die
if moment == "between signing and answering":
    WitnessFolder.publish = die
with folder.held():
    desk = witness_desk.WitnessDesk(folder, parse_known_logs(logs.read_bytes()), signer)
    desk.add_checkpoint(body.read_bytes())
print("answered")
"""


class Scene:
    """A witness that has seen size 3, its log, and a second history of that log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = HandLog("log.test/one", [str(number).encode() for number in range(9)])
        self.fork = HandLog(self.log.origin, [*self.log.leaves[:3], b"other", *self.log.leaves[4:]])
        self.fork.ed25519 = self.log.ed25519
        self.folder = WitnessFolder(path / "witness")
        self.logs = path / "logs.txt"
        self.logs.write_text("\n".join(self.log.vkeys))
        with self.folder.held():
            WitnessKey.generate("witness.test/w").write(self.folder.key_file, None)
            self.desk().add_checkpoint(self.log.body(0, 3))

    def desk(self) -> WitnessDesk:
        """A fresh start on what is on the disk."""
        return WitnessDesk(self.folder, parse_known_logs(self.logs.read_bytes()), self.signer)

    @property
    def signer(self) -> WitnessSigner:
        return WitnessKey.read(self.folder.key_file, lambda: "").signer

    def killed_at(self, moment: str, body: bytes) -> None:
        (self.path / "body").write_bytes(body)
        places = [self.folder.root, self.path / "body", self.logs]
        words = [sys.executable, "-c", CHILD, moment, *map(str, places)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=240)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert done.stdout == ""


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_killed_before_the_head_is_remembered_it_is_free(scene: Scene) -> None:
    scene.killed_at("before the head is remembered", scene.log.body(3, 5))
    assert scene.desk().add_checkpoint(scene.fork.body(3, 5))


@pytest.mark.parametrize("moment", ["between remembering and signing", "between signing and answering"])
def test_killed_after_it_a_second_history_is_refused_and_the_first_goes_on(scene: Scene, moment: str) -> None:
    scene.killed_at(moment, scene.log.body(3, 5))
    desk = scene.desk()
    with pytest.raises(ConflictError) as conflict:
        desk.add_checkpoint(scene.fork.body(3, 5))
    assert conflict.value.known_size == 5
    with pytest.raises(InconsistentError):
        desk.add_checkpoint(scene.fork.body(5, 5))
    assert [path.name.partition("-")[0] for path in scene.folder.evidence()] == ["fork"]
    note = scene.log.note(5)
    answer = desk.add_checkpoint(scene.log.body(5, 5, note))
    assert holds(note, answer.decode(), [key.to_text() for key in scene.signer.verifier_keys])
    assert desk.add_checkpoint(scene.log.body(5, 8))


@pytest.mark.parametrize("call", ["fsync", "rename", "write"])
def test_a_disk_that_fails_gets_nothing_signed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    desk = scene.desk()
    signed: list[object] = []
    honest = WitnessSigner.cosign
    monkeypatch.setattr(WitnessSigner, "cosign", lambda *words: signed.append(words) or honest(*words))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, call, fail)
        with pytest.raises(LogError):
            desk.add_checkpoint(scene.log.body(3, 5))
    assert signed == []
    assert desk.add_checkpoint(scene.log.body(3, 5))


def test_a_memory_that_was_tampered_with_is_not_taken_for_none(scene: Scene) -> None:
    (remembered,) = (scene.folder.root / "logs").glob("*/remembered")
    remembered.write_bytes(b"nothing")
    with pytest.raises(Exception, match="forgets") as refused:
        scene.desk()
    assert getattr(refused.value, "code", "") == "witness_memory_damaged"


def test_a_witness_killed_under_load_keeps_to_one_history(tmp_path: Path) -> None:
    log = HandLog("log.test/one", [str(number).encode() for number in range(30)])
    fork = HandLog(log.origin, [b"other", *log.leaves[1:]], ed25519=log.ed25519)
    (tmp_path / "logs").write_text("\n".join(log.vkeys))
    witness = WitnessProcess(tmp_path / "witness", tmp_path / "logs", "witness.test/w")
    seen = 0
    for round_ in range(3):
        witness.start()
        connection = http.client.HTTPConnection(witness.host, witness.port)
        for _ in range(4):
            connection.request("POST", "/add-checkpoint", log.body(seen, seen + 1))
            answer = connection.getresponse()
            assert (answer.status, bool(answer.read())) == (200, True), round_
            seen += 1
        connection.request("POST", "/add-checkpoint", f"old {seen}\n\n{fork.note(seen)}".encode())
        answer = connection.getresponse()
        assert (answer.status, answer.read()[:18]) == (422, b"tree_inconsistent:")
        connection.close()
        witness.stop(kill=True)
    assert "fork by log.test/one" in witness.log_file.read_text()
