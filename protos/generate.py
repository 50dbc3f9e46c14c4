"""Generates the Python code of every .proto file: `python -m protos.generate FOLDER`.

Messages get typed stubs; only the public services get gRPC code, since nothing behind the wall speaks gRPC.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def generate(target: Path) -> None:
    """Writes `*_pb2.py`, `*_pb2.pyi` and, for services, `*_pb2_grpc.py(i)` under target/protos."""
    target.mkdir(parents=True, exist_ok=True)
    public = sorted((HERE / "bauta" / "v1").glob("*.proto"))
    internal = sorted((HERE / "bauta" / "internal" / "v1").glob("*.proto"))
    _protoc(["--python_out", target, "--mypy_out", target], [*public, *internal])
    _protoc(["--grpc_python_out", target, "--mypy_grpc_out", target], public)


def _protoc(outputs: list[object], sources: list[Path]) -> None:
    programs = Path(sys.executable).parent
    plugins = [
        f"--plugin=protoc-gen-{name}={programs / f'protoc-gen-{name}'}" for name in ("mypy", "mypy_grpc")
    ]
    subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-Iprotos={HERE}",
            *plugins,
            *map(str, outputs),
            *(f"protos/{source.relative_to(HERE)}" for source in sources),
        ],
        check=True,
        cwd=HERE.parent,
        stderr=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    generate(Path(sys.argv[1]).resolve())
