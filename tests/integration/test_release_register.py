"""The release register end to end: who may release, what a service starts with, what a client refuses."""

from __future__ import annotations

import datetime
import json
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import media_factory
import pytest
from service_process import Service, bauta_program, clean_environment, terms_for

from grpc_api.client import submission
from grpc_api.client.connection import Connection
from grpc_api.register import read_release, write_release
from keyvault.age import HybridIdentity
from keyvault.release_key import ReleaseKey
from protos.bauta.v1 import intake_pb2
from provenance.dsse import Envelope, sign_envelope
from provenance.register import NotReleasedError, verify_released_intake
from provenance.statements import WorkerReleaseFacts
from provenance.trust import parse_public_key


def bauta(*words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [bauta_program(), *map(str, words)],
        capture_output=True,
        text=True,
        input=stdin,
        env=clean_environment(),
        timeout=240,
    )


def bauta_json(*words: object) -> dict[str, Any]:
    done = bauta(*words, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def refusal(*words: object) -> str:
    done = bauta(*words, "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    return str(json.loads(done.stdout)["error"]["code"])


@pytest.fixture(scope="module")
def reviewer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a release key, its public part, and a release of what is installed here."""
    folder = tmp_path_factory.mktemp("reviewer")
    made = bauta("release", "key", "-o", folder / "private")
    assert made.returncode == 0, made.stderr
    (folder / "public.json").write_text(made.stdout)
    bauta_json("release", "make", "--key", folder / "private", "-o", folder / "release.json")
    return folder


@pytest.fixture(scope="module")
def reviewed(reviewer: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that serves only workers which the reviewer has released."""
    data = tmp_path_factory.mktemp("data")
    data.chmod(0o700)
    words = ["--release-key", reviewer / "public.json", "--release", reviewer / "release.json"]
    bauta_json("serve", "--init", "--data", data, *words)
    with Service(data) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=1)


def intake_of(service: Service) -> intake_pb2.GetIntakeResponse:
    with service.connect() as connection:
        return connection.intake.GetIntake(intake_pb2.GetIntakeRequest())


def entries(data: Path) -> list[str]:
    with sqlite3.connect(f"file:{data / 'desk' / 'log.sqlite'}?mode=ro", uri=True) as database:
        return [kind for (kind,) in database.execute("select kind from entries order by position")]


def test_the_trust_file_names_the_reviewer_and_not_the_node(reviewed: Service, reviewer: Path) -> None:
    assert reviewed.trust.releases == (parse_public_key((reviewer / "public.json").read_bytes()),)
    bundle = reviewed.data / "client" / "trust.json"
    assert bundle.read_bytes() == (reviewed.data / "trust.json").read_bytes()


def test_a_job_tells_who_released_its_worker(
    reviewed: Service, reviewer: Path, clip: Path, tmp_path: Path
) -> None:
    report = bauta_json("submit", clip, "-o", tmp_path / "out.mp4", "--data", reviewed.data)
    shown = bauta_json("release", "verify", reviewer / "release.json", "--data", reviewed.data)
    assert report["worker_released_by"] == shown["released_by"] == f"release key {shown['key']}"
    assert report["worker_version"] == shown["version"]
    release = ["--release", reviewer / "release.json", "--data", reviewed.data]
    verified = bauta_json("verify", tmp_path / "out.mp4", *release)
    assert verified["worker_released_by"] == shown["released_by"]
    assert verified["statement"]["measurement"] == shown["measurement"]
    assert verified["steps"][-1]["step"] == "worker_released"
    plain = bauta_json("verify", tmp_path / "out.mp4", "--data", reviewed.data)
    assert "worker_released_by" not in plain, "a proof alone does not say who released its worker"


def test_a_restart_records_no_second_release(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    with Service(data) as service:
        first = intake_of(service)
        assert service.stop() == 0
        service.start()
        assert intake_of(service).worker_release
        assert first.worker_release
    assert entries(data).count("worker-release") == 1


def test_a_fresh_service_says_that_its_release_is_its_own_word(
    clip: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = tmp_path_factory.mktemp("own")
    data.chmod(0o700)
    done = bauta("submit", clip, "-o", tmp_path / "out.mp4", "--data", data)
    assert done.returncode == 0, done.stderr
    assert "released by this service's own operator" in done.stdout


def changed(reviewer: Path, **changes: str) -> Envelope:
    """A release by the reviewer's own key, but of something else."""
    facts = WorkerReleaseFacts.from_statement(read_release(reviewer / "release.json").payload)
    signer = ReleaseKey.read(reviewer / "private", lambda: "").signer
    return sign_envelope(replace(facts, **changes).to_statement(), signer, signer.public.algorithms)


def by_a_stranger(reviewer: Path) -> Envelope:
    payload = read_release(reviewer / "release.json").payload
    signer = ReleaseKey.generate().signer
    return sign_envelope(payload, signer, signer.public.algorithms)


def stripped(reviewer: Path) -> bytes:
    content = json.loads((reviewer / "release.json").read_bytes())
    content["signatures"] = content["signatures"][:1]
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


NOT_STARTED: dict[str, Callable[[Path], Envelope | bytes | None]] = {
    "no release": lambda reviewer: None,
    "a release by a stranger": by_a_stranger,
    "a release of another measurement": lambda reviewer: changed(reviewer, measurement="0" * 64),
    "a release stripped of its post-quantum signatures": stripped,
    "no release at all, but a file": lambda reviewer: b"{}",
}


@pytest.mark.parametrize("name", NOT_STARTED)
def test_a_service_does_not_start_with(name: str, reviewer: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "releases").mkdir(parents=True)
    data.chmod(0o700)
    match NOT_STARTED[name](reviewer):
        case Envelope() as release:
            write_release(data / "releases" / "release.json", release)
        case bytes() as content:
            (data / "releases" / "release.json").write_bytes(content)
    init = ["serve", "--init", "--data", data, "--release-key", reviewer / "public.json"]
    assert refusal(*init) == "worker_not_released"


def test_the_release_keys_of_a_service_are_fixed(reviewed: Service, tmp_path: Path) -> None:
    other = bauta("release", "key", "-o", tmp_path / "other")
    (tmp_path / "other.json").write_text(other.stdout)
    init = ["serve", "--init", "--data", reviewed.data, "--release-key", tmp_path / "other.json"]
    assert refusal(*init) == "release_keys_fixed"
    assert bauta("serve", "--data", tmp_path, "--release-key", tmp_path / "other.json").returncode == 2


class LyingDesk:
    """A front desk that says what it likes about the worker; nothing may reach it after that."""

    def __init__(self, answer: intake_pb2.GetIntakeResponse) -> None:
        self.tries = 1
        self.intake = self
        self._answer = answer

    def GetIntake(self, request: intake_pb2.GetIntakeRequest) -> intake_pb2.GetIntakeResponse:
        return self._answer

    @property
    def jobs(self) -> Any:
        raise AssertionError("the client went on after an intake that it must refuse")


def test_a_client_refuses_before_it_seals_a_byte(
    reviewed: Service, reviewer: Path, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_sealing(*_: object) -> None:
        raise AssertionError("the client sealed for a worker that is not released")

    monkeypatch.setattr(submission, "seal_upload", no_sealing)
    sound = intake_of(reviewed)
    own = replace(reviewed.trust, releases=(reviewed.trust.node,))
    lies = {
        "no release": (replace_release(sound, b""), reviewed.trust),
        "the announcement in its place": (replace_release(sound, sound.announcement), reviewed.trust),
        "a release that the trust file does not know": (sound, own),
        "nobody may release": (sound, replace(reviewed.trust, releases=())),
    }
    for lie, (answer, trust) in lies.items():
        identity = HybridIdentity.generate()
        with pytest.raises(NotReleasedError) as refused:
            submission.submit(
                cast(Connection, LyingDesk(answer)),
                trust,
                source=clip,
                output=tmp_path / "out.mp4",
                terms=terms_for(identity),
                identity=identity,
                on_progress=lambda *_: None,
            )
        assert refused.value.code == "worker_not_released", lie
    assert list(tmp_path.iterdir()) == []


def replace_release(answer: intake_pb2.GetIntakeResponse, release: bytes) -> intake_pb2.GetIntakeResponse:
    copy = intake_pb2.GetIntakeResponse()
    copy.CopyFrom(answer)
    copy.worker_release = release
    return copy


def test_both_proofs_of_an_intake_stand_in_one_tree(reviewed: Service) -> None:
    answer = intake_of(reviewed)
    checked = verify_released_intake(
        answer.announcement, answer.worker_release, reviewed.trust, datetime.datetime.now(datetime.UTC)
    )
    assert checked.intake.worker_measurements == (checked.release.facts.measurement,)
    assert not checked.release.is_own


def test_the_command_line_of_releases(reviewer: Path, reviewed: Service, tmp_path: Path) -> None:
    assert (reviewer / "private").stat().st_mode & 0o777 == 0o600
    secret = json.loads((reviewer / "private").read_text())["ed25519"]
    assert secret not in (reviewer / "public.json").read_text()
    assert bauta("release", "key", "-o", reviewer / "private").returncode == 2, "a key is never overwritten"
    shown = bauta_json("release", "show", reviewer / "release.json")
    assert not shown["verified"]
    assert len(shown["signatures"]) == 3
    checks = [reviewer / "release.json", "--data", reviewed.data]
    assert bauta_json("release", "verify", *checks, "--installation")["installation"]
    write_release(tmp_path / "other.json", changed(reviewer, measurement="0" * 64))
    checks[0] = tmp_path / "other.json"
    assert bauta_json("release", "verify", *checks)["verified"]
    assert refusal("release", "verify", *checks, "--installation") == "installation_differs"
    write_release(tmp_path / "other.json", by_a_stranger(reviewer))
    assert refusal("release", "verify", *checks) == "release_key_unknown"
    (tmp_path / "other.json").write_text("{}")
    assert refusal("release", "verify", *checks) == "malformed"
    assert bauta("release", "verify").returncode == 2


def test_a_release_key_can_be_sealed(tmp_path: Path) -> None:
    made = bauta("release", "key", "-o", tmp_path / "key", "--ask-passphrase", stdin="correct horse\n")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "key").read_bytes().startswith(b"age-encryption.org/v1\n-> scrypt ")
    make = ["release", "make", "--key", tmp_path / "key", "-o", tmp_path / "release.json", "--json"]
    wrong = bauta(*make, stdin="wrong horse\n")
    assert (wrong.returncode, json.loads(wrong.stdout)["error"]["code"]) == (1, "release_key_invalid")
    assert not (tmp_path / "release.json").exists()
    assert bauta(*make, stdin="correct horse\n").returncode == 0
    assert "horse" not in made.stdout + made.stderr + wrong.stdout + wrong.stderr
