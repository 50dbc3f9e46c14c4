"""A real service for tests: `bauta serve` as a process, and a submitter of the client library."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import grpc
import psutil
from grpc_health.v1 import health_pb2, health_pb2_grpc

from enclave.policy import Instructions, Terms, shipped
from grpc_api.client import submission
from grpc_api.client.connection import Connection
from grpc_api.client.submission import Submitted
from keyvault.age import HybridIdentity
from protos.bauta.v1 import jobs_pb2
from provenance.trust import Trust


def bauta_program() -> Path:
    """The `bauta` beside this Python, else on the PATH."""
    beside = Path(sys.executable).parent / "bauta"
    found = beside if beside.exists() else shutil.which("bauta")
    assert found, "bauta is not installed; `make setup` does it"
    return Path(found)


class Service:
    """One `bauta serve` on a data folder. Use as a context manager."""

    def __init__(self, data: Path, *arguments: str, config: str = "") -> None:
        self.data = data
        data.chmod(0o700)
        self._arguments = list(arguments)
        if config:
            (data / "service.toml").write_text(f"[service]\n{config}")
            self._arguments += ["--config", str(data / "service.toml")]
        self.log = data / "stderr.log"
        self.listen: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts it and waits until it says that it is ready."""
        words = [str(bauta_program()), "serve", "--json", "--data", str(self.data), *self._arguments]
        with self.log.open("a") as log:
            self._process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self._process.stdout is not None
        document = ""
        for line in self._process.stdout:
            document += line
            if line.startswith("}"):
                break
        message = json.loads(document or "{}")
        assert message.get("ready"), f"the service did not start: {message} {self.log.read_text()}"
        self.listen = message["listen"]

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self._process is not None
        return self._process.pid

    def processes(self) -> dict[str, psutil.Process]:
        """Every process of the service, by role; running jobs are `job-N`."""
        roles = {"grpc_api": "desk", "keyvault.vault": "vault", "enclave.nursery": "worker"}
        found = {"supervisor": psutil.Process(self.pid)}
        jobs = 0
        for process in found["supervisor"].children(recursive=True):
            # A job's child can end at any moment.
            with suppress(psutil.NoSuchProcess):
                words = process.cmdline()
                role = next((role for module, role in roles.items() if module in words), "")
                if role and role not in found:
                    found[role] = process
                else:
                    jobs += 1
                    found[f"job-{jobs}"] = process
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it in order; its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(number)
        return self.ended()

    def ended(self) -> int:
        """Waits until it ends; its exit code."""
        assert self._process is not None
        code = self._process.wait(280)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None
        return code

    def processes_left(self) -> list[str]:
        """Command lines of processes that still work on this data folder."""
        return [
            " ".join(process.info["cmdline"])
            for process in psutil.process_iter(["cmdline"])
            if str(self.data) in (process.info["cmdline"] or [])
        ]

    def kill(self) -> None:
        """kill -9 for every process at once, as a power cut would."""
        processes = list(self.processes().values())
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, 30)
        assert self._process is not None
        self._process.wait(60)
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process = None

    def connect(self) -> Connection:
        """A local connection."""
        return Connection(self.listen[0])

    @property
    def trust(self) -> Trust:
        """What this service's users believe in."""
        return Trust.from_bytes((self.data / "trust.json").read_bytes())

    def health(self) -> str:
        """SERVING, NOT_SERVING, or UNREACHABLE."""
        with grpc.insecure_channel(self.listen[0]) as channel:
            try:
                answer = health_pb2_grpc.HealthStub(channel).Check(
                    health_pb2.HealthCheckRequest(service="bauta.v1.JobService"), timeout=60
                )
            except grpc.RpcError:
                return "UNREACHABLE"
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def submit(
        self,
        source: Path,
        output: Path,
        *,
        policy: str = "whistleblower",
        on_progress: Callable[[str, jobs_pb2.Progress | None], None] = lambda *_: None,
        instructions: Instructions | None = None,
    ) -> Submitted:
        """One submission by the client library."""
        identity = HybridIdentity.generate()
        with self.connect() as connection:
            return submission.submit(
                connection,
                self.trust,
                source=source,
                output=output,
                terms=terms_for(identity, policy),
                identity=identity,
                on_progress=on_progress,
                instructions=instructions,
            )

    def spooled(self) -> list[Path]:
        """Files of jobs that lie on the service's disk."""
        return [path for path in (self.data / "desk" / "spool").rglob("*") if path.is_file()]


class AwaitedService(Service):
    """One that is ended and started again under its clients, who wait for it on the slowest machine."""

    def connect(self) -> Connection:
        """A local connection."""
        return Connection(self.listen[0], tries=60)


def terms_for(identity: HybridIdentity, policy: str = "whistleblower") -> Terms:
    """The terms of a shipped policy in its first mode."""
    chosen = shipped()[policy]
    return Terms(policy=chosen, mode=chosen.modes[0], recipients=(str(identity.recipient),))


def in_background(work: Callable[[], object]) -> threading.Thread:
    """Runs something beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def clean_environment() -> dict[str, str]:
    """The environment without what would point a command at the user's own data."""
    return {name: value for name, value in os.environ.items() if not name.startswith("BAUTA_")}
