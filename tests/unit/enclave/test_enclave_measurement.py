"""The measurement: the same for the same tree, another for any change that could change what runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from enclave.errors import MeasurementError
from enclave.measurement import PACKAGES, describe, lock_text, measure_tree
from enclave.policy import shipped

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


def add(path: str) -> Callable[[Path], object]:
    def change(tree: Path) -> None:
        (tree / path).parent.mkdir(exist_ok=True)
        (tree / path).write_text("x = 1\n")

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
    "an extension module that comes before a module": lambda tree: (
        tree / "enclave/inner/code.abi3.so"
    ).write_bytes(b"\x7fELF"),
    "a package that comes before a module": add("enclave/inner/code/__init__.py"),
    "a module without source": add("enclave/inner/other.pyc"),
    "a module in a cache folder": add("enclave/__pycache__/other.py"),
    "a module without source in a cache folder": add("enclave/__pycache__/other.pyc"),
    "a .pth file": add("enclave/other.pth"),
    "a data file": add("enclave/inner/weights.bin"),
    "a hidden file": add("enclave/.hidden"),
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
    add("console/main.py")(tree)
    add("enclave/inner/__pycache__/code.cpython-311.pyc")(tree)
    add("enclave/inner/__pycache__/code.cpython-311.opt-1.pyc.140125")(tree)
    (tree / "enclave/inner/code.py").chmod(0o600)
    os.utime(tree / "enclave/inner/code.py", (0, 0))
    (tree / "enclave/empty").mkdir()
    assert measure_tree(tree, MODELS) == before


def link_a_file(tree: Path) -> None:
    (tree / "enclave/linked.py").symlink_to(tree / "enclave/inner/code.py")


def link_a_folder(tree: Path) -> None:
    (tree / "enclave/linked").symlink_to(tree / "anonymizer")


def link_a_package(tree: Path) -> None:
    (tree / "protos").rename(tree / "elsewhere")
    (tree / "protos").symlink_to(tree / "elsewhere")


def link_the_lock(tree: Path) -> None:
    (tree / "constraints.txt").rename(tree / "other.txt")
    (tree / "constraints.txt").symlink_to(tree / "other.txt")


def forge_a_line(tree: Path) -> None:
    (tree / f"enclave/x {'0' * 64}\nfile y").write_text("")


REFUSED: dict[str, Callable[[Path], object]] = {
    "a link to a file": link_a_file,
    "a link to a folder": link_a_folder,
    "a package that is a link": link_a_package,
    "a lock that is a link": link_the_lock,
    "a link to nowhere": lambda tree: (tree / "enclave/linked.py").symlink_to("nowhere"),
    "a pipe": lambda tree: os.mkfifo(tree / "enclave/pipe"),
    "a name that forges a line": forge_a_line,
    "a name that is no text": lambda tree: (tree / "enclave" / os.fsdecode(b"\xff.py")).touch(),
}


@pytest.mark.parametrize("change", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_measured_is_refused(tree: Path, change: Callable[[Path], object]) -> None:
    change(tree)
    with pytest.raises(MeasurementError) as refused:
        measure_tree(tree, MODELS)
    assert refused.value.code == "measurement_failed"


def test_the_running_code_says_what_its_measurement_covers(repository: Path) -> None:
    found = describe()
    assert found.policies == {name: policy.digest for name, policy in shipped().items()}
    assert found.lock_sha256 is not None
    assert lock_text() == (repository / "constraints.txt").read_text()


# What a worker host does when it starts, without the wall: import everything, then measure.
MEASURE = """
import sys
sys.path.insert(0, sys.argv[1])
from enclave.nursery.warming import _import_what_loads_late
from enclave.measurement import measure
_import_what_loads_late()
print(measure({"centerface": bytes(32)}).hex())
"""


def measured(root: Path) -> str:
    """The measurement that a process computes which runs the code of this checkout."""
    command = [sys.executable, "-I", "-c", MEASURE, str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=240).stdout.strip()


@pytest.fixture(scope="module")
def clones(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    if not (repository / ".git").exists():
        pytest.skip("this tree is no git checkout, so there is no commit to clone")
    folder = tmp_path_factory.mktemp("clones")
    for name in ("one", "another, elsewhere"):
        command = ["git", "clone", "-q", "--no-local", "--depth", "1", f"file://{repository}", folder / name]
        subprocess.run(command, check=True, capture_output=True, timeout=240)
    return folder / "one", folder / "another, elsewhere"


def test_two_clean_clones_of_one_commit_measure_the_same(clones: tuple[Path, Path]) -> None:
    one, another = clones
    assert measure_tree(one, MODELS) == measure_tree(another, MODELS)
    first = measured(one)
    assert len(first) == 64
    # The second run finds caches that the first one left.
    assert [measured(one), measured(another)] == [first, first]


@pytest.mark.parametrize(
    "path",
    [
        "enclave/worker/job.py",
        "constraints.txt",
        "enclave/policy/shipped/street.toml",
        "anonymizer/models.py",
    ],
)
def test_one_changed_byte_in_a_clone_measures_otherwise(clones: tuple[Path, Path], path: str) -> None:
    clone, _ = clones
    before = measure_tree(clone, MODELS)
    content = (clone / path).read_bytes()
    try:
        (clone / path).write_bytes(content + b"\n")
        assert measure_tree(clone, MODELS) != before
    finally:
        (clone / path).write_bytes(content)
    assert measure_tree(clone, MODELS) == before
