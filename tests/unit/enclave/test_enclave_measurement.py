"""The measurement: the same for the same tree, another for any change that could change what runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.measurement import PACKAGES, measure, measure_tree

MODELS = {"centerface": bytes(32)}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for package in PACKAGES:
        (tmp_path / package / "inner").mkdir(parents=True)
        (tmp_path / package / "__init__.py").write_text("")
        (tmp_path / package / "inner" / "code.py").write_text(f"# {package}\n")
    (tmp_path / "enclave" / "inner" / "policy.toml").write_text("x = 1\n")
    (tmp_path / "constraints.txt").write_text("a==1\n")
    return tmp_path


def test_a_copy_elsewhere_measures_the_same(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copy = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(tree, copy)
    assert measure_tree(copy, MODELS) == measure_tree(tree, MODELS)
    assert len(measure_tree(tree, MODELS)) == 32


def append(path: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        with (tree / path).open("a") as file:
            file.write("#\n")

    return change


def swap_two_files(tree: Path) -> None:
    one, two = tree / "anonymizer/inner/code.py", tree / "keyvault/inner/code.py"
    texts = one.read_text(), two.read_text()
    two.write_text(texts[0])
    one.write_text(texts[1])


CHANGES: dict[str, Callable[[Path], object]] = {
    **{f"a byte in {package}": append(f"{package}/inner/code.py") for package in PACKAGES},
    "a byte in a policy": append("enclave/inner/policy.toml"),
    "a byte in the lock file": append("constraints.txt"),
    "no lock file": lambda tree: (tree / "constraints.txt").unlink(),
    "a new empty module": lambda tree: (tree / "protos" / "new.py").touch(),
    "a module less": lambda tree: (tree / "protos" / "__init__.py").unlink(),
    "a module renamed": lambda tree: (tree / "protos/inner/code.py").rename(tree / "protos/inner/other.py"),
    "two modules swapped": swap_two_files,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_changes_it(tree: Path, change: Callable[[Path], object]) -> None:
    before = measure_tree(tree, MODELS)
    change(tree)
    assert measure_tree(tree, MODELS) != before


def test_other_models_change_it(tree: Path) -> None:
    assert measure_tree(tree, MODELS) != measure_tree(tree, {"centerface": bytes(31) + b"\1"})
    assert measure_tree(tree, MODELS) != measure_tree(tree, {"other": bytes(32)})


def test_what_does_not_run_behind_the_wall_does_not_count(tree: Path) -> None:
    before = measure_tree(tree, MODELS)
    (tree / "console").mkdir()
    (tree / "console" / "main.py").write_text("x")
    (tree / "enclave" / "inner" / "code.cpython-311.pyc").write_bytes(b"x")
    assert measure_tree(tree, MODELS) == before


def test_the_running_code_has_a_measurement(repository: Path) -> None:
    assert measure(MODELS) == measure_tree(repository, MODELS)
