"""`bauta witness` against the answers of c2sp.org/tlog-witness, over raw HTTP, with logs made by hand."""

from __future__ import annotations

import base64
import http.client
import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from console.bounded_server import MAX_CONNECTIONS, Silent
from console.witness_desk import WitnessDesk
from console.witness_folder import WitnessFolder, origin_hash, read_evidence
from console.witness_server import WitnessServer
from keyvault.witness_key import WitnessKey
from provenance.witness.known_logs import parse_known_logs
from provenance.witness.memory import Grievance
from tests.interop.witness_by_hand import HandLog, b64, consistency_of, holds, root_of

NOW = 1_800_000_200


class Scene:
    """A witness of two logs, one with an ML-DSA-44 key besides; and a log that it does not know."""

    def __init__(self, folder: Path) -> None:
        leaves = [f"entry {number}".encode() for number in range(20)]
        self.log = HandLog("log.test/one", list(leaves))
        self.both = HandLog("log.test/two", list(leaves), with_mldsa44=True)
        self.stranger = HandLog("log.test/three", list(leaves))
        self.key = WitnessKey.generate("witness.test/w1")
        self.vkeys = [key.to_text() for key in self.key.signer.verifier_keys]
        self.folder = WitnessFolder(folder)
        self._held = ExitStack()
        self._held.enter_context(self.folder.held())
        self.reported: list[tuple[str, str]] = []
        listed = "\n".join(
            ["# whom we watch", f"log {self.log.vkeys[0]} https://log.test", *self.both.vkeys, ""]
        )
        desk = WitnessDesk(
            self.folder, parse_known_logs(listed.encode()), self.key.signer, self._report, lambda: NOW
        )
        self.server = WitnessServer(("127.0.0.1", 0), desk)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def _report(self, found: Grievance, name: str) -> None:
        self.reported.append((found.kind, name))

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()
        self._held.close()

    def post(self, body: bytes, path: str = "/add-checkpoint", **headers: str) -> tuple[int, str, bytes]:
        return self.ask("POST", path, body, headers)

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_address[1], timeout=120)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type", ""), answer.read()
        finally:
            connection.close()

    def grown(self, size: int, log: HandLog | None = None) -> None:
        """The witness has seen the log at this size."""
        log = log or self.log
        assert self.post(log.body(0, size))[0] == 200


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "witness")
    yield made
    made.close()


def test_a_log_grows_and_both_keys_cosign(scene: Scene) -> None:
    for old, size in ((0, 0), (0, 1), (1, 5), (5, 8), (8, 8), (8, 20)):
        note = scene.log.note(size)
        status, _, answer = scene.post(scene.log.body(old, size, note))
        assert status == 200
        assert holds(note, answer.decode(), scene.vkeys) == [NOW, NOW]
        assert answer.decode().count("\n") == 2


def test_extension_lines_are_cosigned_too(scene: Scene) -> None:
    note = scene.log.signed(scene.log.text(3, extension="more of it\nand more\n"))
    status, _, answer = scene.post(scene.log.body(0, 3, note))
    assert status == 200
    assert holds(note, answer.decode(), scene.vkeys) == [NOW, NOW]


def test_lines_by_strangers_are_ignored_and_not_kept(scene: Scene) -> None:
    note = scene.log.note(3)
    extra = scene.stranger.note(3).rpartition("\n\n")[2]
    assert scene.post(scene.log.body(0, 3, note + extra))[0] == 200
    kept = scene.ask("GET", f"/{origin_hash(scene.log.origin)}/checkpoint")[2].decode()
    assert extra not in kept


def test_monitors_get_what_was_answered(scene: Scene) -> None:
    path = f"/{origin_hash(scene.log.origin)}/checkpoint"
    assert scene.ask("GET", path)[0] == 404
    note = scene.log.note(4)
    answer = scene.post(scene.log.body(0, 4, note))[2].decode()
    status, kind, content = scene.ask("GET", path)
    assert (status, content.decode()) == (200, note + answer)
    assert kind == "text/plain; charset=utf-8"
    assert scene.ask("HEAD", path)[::2] == (200, b"")
    assert scene.ask("GET", f"/{origin_hash(scene.stranger.origin)}/checkpoint")[0] == 404


def test_two_logs_do_not_know_of_each_other(scene: Scene) -> None:
    scene.grown(7)
    assert scene.post(scene.both.body(0, 3))[0] == 200
    assert scene.post(scene.both.body(3, 9))[0] == 200
    assert scene.post(scene.log.body(7, 8))[0] == 200


def _without_line(note: str, at: int) -> str:
    head, _, lines = note.rpartition("\n\n")
    kept = lines.splitlines(keepends=True)
    del kept[at]
    return f"{head}\n\n{''.join(kept)}"


def _forged(scene: Scene) -> bytes:
    """The log's key id over a signature by somebody else."""
    log, forger = scene.log, HandLog(scene.log.origin, scene.log.leaves)
    mine, theirs = (each.note(8).rpartition(" ") for each in (log, forger))
    blob = b64(base64.b64decode(mine[2])[:4] + base64.b64decode(theirs[2])[4:])
    return log.body(5, 8, f"{mine[0]} {blob}\n")


Request = Callable[[Scene], bytes]
# The witness has cosigned size 5 of the log `one`.
TABLE: dict[str, tuple[Request, int, bytes | None]] = {
    "an unknown log": (lambda s: s.stranger.body(0, 3), 404, None),
    "an unknown log whose name has spaces": (
        lambda s: s.log.body(5, 8).replace(b"log.test/one\n8", b"go.sum database tree\n8"),
        404,
        None,
    ),
    "nobody we trust signed": (
        lambda s: s.log.body(5, 8, HandLog(s.log.origin, s.log.leaves).note(8)),
        403,
        None,
    ),
    "a line under our key id is false": (_forged, 403, None),
    "a true line and a changed root": (
        lambda s: s.log.body(5, 8, s.log.note(8).replace(b64(root_of(s.log.leaves[:8])), b64(bytes(32)))),
        403,
        None,
    ),
    "one of two keys did not sign": (
        lambda s: s.both.body(0, 3, _without_line(s.both.note(3), 1)),
        403,
        None,
    ),
    "the other of two keys did not sign": (
        lambda s: s.both.body(0, 3, _without_line(s.both.note(3), 0)),
        403,
        None,
    ),
    "old is larger than the checkpoint": (lambda s: b"old 9\n\n" + s.log.note(8).encode(), 400, None),
    "old is smaller than what we cosigned": (lambda s: s.log.body(3, 8), 409, b"5\n"),
    "old is larger than what we cosigned": (lambda s: s.log.body(6, 8), 409, b"5\n"),
    "old is unknown to the client": (lambda s: s.log.body(0, 8), 409, b"5\n"),
    "an old checkpoint again": (lambda s: s.log.body(0, 3), 409, b"5\n"),
    "an old checkpoint again, with its own size": (lambda s: s.log.body(3, 3), 409, b"5\n"),
    "a proof of another growth": (
        lambda s: s.log.body(5, 8).replace(
            b64(consistency_of(5, s.log.leaves[:8])[0]).encode(), b64(bytes(32)).encode()
        ),
        422,
        None,
    ),
    "no proof": (lambda s: b"old 5\n\n" + s.log.note(8).encode(), 422, None),
    "another root at the same size": (
        lambda s: b"old 5\n\n" + s.log.note(5, root=bytes(32)).encode(),
        422,
        None,
    ),
    "a proof where none is due": (
        lambda s: f"old 5\n{b64(bytes(32))}\n\n{s.log.note(5)}".encode(),
        422,
        None,
    ),
    "a proof from nothing": (lambda s: f"old 0\n{b64(bytes(32))}\n\n{s.both.note(3)}".encode(), 422, None),
    "an empty tree with another root": (
        lambda s: b"old 0\n\n" + s.both.note(0, root=bytes(32)).encode(),
        422,
        None,
    ),
    "no body": (lambda s: b"", 400, None),
    "no old line": (lambda s: b"\n" + s.log.note(8).encode(), 400, None),
    "an old size with a leading zero": (lambda s: s.log.body(5, 8).replace(b"old 5", b"old 05"), 400, None),
    "a negative old size": (lambda s: s.log.body(5, 8).replace(b"old 5", b"old -5"), 400, None),
    "an old size with two spaces": (lambda s: s.log.body(5, 8).replace(b"old 5", b"old  5"), 400, None),
    "64 hashes": (
        lambda s: b"old 5\n" + f"{b64(bytes(32))}\n".encode() * 64 + b"\n" + s.log.note(8).encode(),
        400,
        None,
    ),
    "a hash of 31 bytes": (lambda s: f"old 5\n{b64(bytes(31))}\n\n{s.log.note(8)}".encode(), 400, None),
    "a hash that is no base64": (lambda s: b"old 5\n!\n\n" + s.log.note(8).encode(), 400, None),
    "no checkpoint": (lambda s: b"old 5\n\n", 400, None),
    "a checkpoint without signatures": (lambda s: b"old 5\n\n" + s.log.text(8).encode(), 400, None),
    "a size with a leading zero": (
        lambda s: s.log.body(5, 8, s.log.signed(s.log.text(8).replace("\n8\n", "\n08\n"))),
        400,
        None,
    ),
    "an empty extension line": (
        lambda s: s.log.body(5, 8, s.log.signed(s.log.text(8, extension="\nmore\n"))),
        400,
        None,
    ),
    "carriage returns": (lambda s: s.log.body(5, 8).replace(b"\n", b"\r\n"), 400, None),
    "bytes that are no text": (lambda s: b"\xff" * 1000, 400, None),
}


@pytest.mark.parametrize(("make", "status", "content"), TABLE.values(), ids=TABLE)
def test_every_other_answer_is_that_of_the_specification(
    scene: Scene, make: Request, status: int, content: bytes | None
) -> None:
    scene.grown(5)
    got, kind, answer = scene.post(make(scene))
    assert got == status
    if status == 409:
        assert (kind, answer) == ("text/x.tlog.size", content)
    assert "—".encode() not in answer
    # The witness stands where it stood.
    assert scene.post(scene.log.body(5, 6))[0] == 200


def test_what_is_no_submission_is_refused_before_it_is_read(scene: Scene) -> None:
    assert scene.ask("GET", "/add-checkpoint")[0] == 405
    assert scene.post(scene.log.body(0, 3), "/")[0] == 404
    assert scene.post(scene.log.body(0, 3), "/add-checkpoint/")[0] == 404
    assert scene.post(b"", **{"Content-Length": str(1 << 30)})[0] == 413
    assert scene.post(b"", **{"Content-Length": "ten"})[0] == 411
    assert scene.ask("PUT", "/add-checkpoint", b"")[0] == 501
    assert scene.ask("GET", "/../key")[0] == 404
    assert scene.ask("GET", f"/{'a' * 64}/../../key")[0] == 404


def test_one_connection_serves_many_submissions(scene: Scene) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", scene.server.server_address[1], timeout=120)
    for old, size in ((0, 1), (1, 2), (2, 3)):
        connection.request("POST", "/add-checkpoint", scene.log.body(old, size))
        answer = connection.getresponse()
        assert (answer.status, answer.read() != b"") == (200, True)
        kept = connection.sock
    assert kept is not None, "the connection was closed between two submissions"
    connection.close()


def test_a_fork_is_refused_and_kept_as_proof(scene: Scene) -> None:
    scene.grown(5)
    fork = HandLog(scene.log.origin, [b"other", *scene.log.leaves[1:]], ed25519=scene.log.ed25519)
    bodies = (fork.body(5, 5), fork.body(0, 5), fork.body(5, 5))
    assert [scene.post(body)[0] for body in bodies] == [422, 409, 422]
    (path,) = scene.folder.evidence()
    assert scene.reported == [("fork", path.name)]
    kept = read_evidence(path)
    assert (kept["kind"], kept["origin"]) == ("fork", scene.log.origin)
    assert (kept["known"], kept["offered"]) == (scene.log.note(5), fork.note(5))


def test_a_rewrite_is_refused_and_kept_as_a_question(scene: Scene) -> None:
    scene.grown(5)
    other = HandLog(scene.log.origin, [b"other", *scene.log.leaves[1:]], ed25519=scene.log.ed25519)
    assert scene.post(other.body(5, 8))[0] == 422
    (path,) = scene.folder.evidence()
    kept = read_evidence(path)
    assert (kept["kind"], kept["offered"]) == ("rewrite", other.note(8))
    assert kept["proof"] == [b64(item) for item in consistency_of(5, other.leaves[:8])]


def test_a_stranger_s_question_is_dropped_once_the_log_answers_it(scene: Scene) -> None:
    scene.grown(5)
    assert scene.post(b"old 5\n\n" + scene.log.note(8).encode())[0] == 422
    assert len(scene.folder.evidence()) == 1
    assert scene.post(scene.log.body(5, 8))[0] == 200
    assert scene.folder.evidence() == []


def test_a_smaller_tree_signed_later_is_kept_and_an_old_one_sent_again_is_not(scene: Scene) -> None:
    log = scene.both
    assert scene.post(log.body(0, 8, log.signed(log.text(8), time=1000)))[0] == 200
    assert scene.post(log.body(0, 3, log.signed(log.text(3), time=999)))[0] == 409
    assert scene.folder.evidence() == []
    assert scene.post(log.body(0, 3, log.signed(log.text(3), time=1001)))[0] == 409
    (path,) = scene.folder.evidence()
    assert read_evidence(path)["kind"] == "shrink"


def test_questions_do_not_crowd_out_proof(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.witness_folder.MAX_QUESTIONS", 3)
    scene.grown(5)
    for size in range(6, 16):
        assert scene.post(b"old 5\n\n" + scene.log.note(size).encode())[0] == 422
    assert len(scene.folder.evidence()) == 3
    assert scene.post(b"old 5\n\n" + scene.log.note(5, root=bytes(32)).encode())[0] == 422
    assert [kind for kind, _ in scene.reported].count("fork") == 1


def test_two_submissions_at_once_never_get_two_roots_of_one_size_signed(scene: Scene) -> None:
    fork = HandLog(scene.log.origin, [b"other", *scene.log.leaves[1:]], ed25519=scene.log.ed25519)
    for round_ in range(1, 6):
        answers: list[tuple[int, bytes]] = []
        ready = threading.Barrier(8)

        def push(
            body: bytes, ready: threading.Barrier = ready, answers: list[tuple[int, bytes]] = answers
        ) -> None:
            ready.wait()
            status, _, content = scene.post(body)
            answers.append((status, content))

        old = 0 if round_ == 1 else round_ - 1
        bodies = [log.body(old, round_) for log in (scene.log, fork) for _ in range(4)]
        threads = [threading.Thread(target=push, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        winner, loser = (scene.log, fork)
        if round_ == 1:
            kept = scene.ask("GET", f"/{origin_hash(scene.log.origin)}/checkpoint")[2].decode()
            if kept.startswith(fork.text(1)):
                scene.log, fork = fork, scene.log
            winner, loser = scene.log, fork
        for status, content in answers:
            if status == 200:
                assert holds(winner.note(round_), content.decode(), scene.vkeys)
                with pytest.raises(AssertionError):
                    holds(loser.note(round_), content.decode(), scene.vkeys)
        assert [status for status, _ in answers].count(200) >= 1


def test_a_crowd_gets_answers_or_a_closed_door(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    # Who says nothing must be there still when the last one comes.
    monkeypatch.setattr(Silent, "timeout", 240.0)
    idle = [
        http.client.HTTPConnection("127.0.0.1", scene.server.server_address[1], timeout=120)
        for _ in range(MAX_CONNECTIONS)
    ]
    for connection in idle:
        connection.connect()
    with pytest.raises(OSError):
        scene.post(scene.log.body(0, 1))
    for connection in idle:
        connection.close()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            assert scene.post(scene.log.body(0, 1))[0] in (200, 409)
            break
        except OSError:
            threading.Event().wait(0.1)
    else:
        pytest.fail("the places of those who left were never freed")


def test_evidence_is_what_the_command_shows(scene: Scene, bauta: list[str]) -> None:
    words = [*bauta, "witness", "evidence", "--data", str(scene.folder.root), "--json"]
    nothing = subprocess.run(words, capture_output=True, text=True)
    assert (nothing.returncode, json.loads(nothing.stdout)) == (0, {"evidence": []})
    scene.grown(5)
    assert scene.post(b"old 5\n\n" + scene.log.note(5, root=bytes(32)).encode())[0] == 422
    shown = subprocess.run(words, capture_output=True, text=True)
    assert shown.returncode == 1
    assert [item["kind"] for item in json.loads(shown.stdout)["evidence"]] == ["fork"]
