"""Which installed code counts in a measurement, and that cached bytecode is what its source gives."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import marshal
import os
import py_compile
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from enclave import dependencies
from enclave.bytecode import check_bytecode
from enclave.dependencies import check_lock, dependency_lines
from enclave.errors import MeasurementError


def install(site: Path, name: str = "sample", version: str = "1.0", *, extra: str = "") -> Path:
    """What an installer leaves behind; gives the RECORD."""
    (site / name).mkdir(parents=True)
    (site / name / "__init__.py").write_text(f"NAME = {name!r}\n")
    (site / name / "a, b.py").write_text("x = 1\n")
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    rows = [row(site, f"{name}/__init__.py"), row(site, f"{name}/a, b.py")]
    rows += [f"{name}/__pycache__/__init__.cpython-311.pyc,,", f"{info.name}/RECORD,,"]
    (info / "RECORD").write_text("\n".join(rows) + "\n" + extra)
    return info / "RECORD"


def row(site: Path, path: str) -> str:
    digest = hashlib.sha256((site / path).read_bytes()).digest()
    text = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return f'"{path}",sha256={text},9' if "," in path else f"{path},sha256={text},9"


def loaded(site: Path, name: str = "sample", path: str = "") -> ModuleType:
    """A module as if it had been imported from there."""
    module = ModuleType(name)
    module.__file__ = str(site / (path or f"{name}/__init__.py"))
    return module


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site-packages"
    folder.mkdir()
    others = [entry for entry in sys.path if not entry.endswith("site-packages")]
    monkeypatch.setattr(sys, "path", [str(folder), *others])
    dependencies._sites.cache_clear()
    yield folder
    dependencies._sites.cache_clear()


def test_a_distribution_is_one_line_whatever_was_imported_of_it(site: Path) -> None:
    install(site)
    one = dependency_lines([loaded(site)], [])
    assert [line.rpartition(" ")[0] for line in one] == ["distribution sample-1.0"]
    assert dependency_lines([loaded(site), loaded(site, "sample.a", "sample/a, b.py")], []) == one


def test_what_an_installer_adds_of_its_own_does_not_count(site: Path) -> None:
    record = install(site)
    before = dependency_lines([loaded(site)], [])
    lines = record.read_text().splitlines()
    added = [
        "../../../bin/sample,sha256=AAAA,200",
        "sample-1.0.dist-info/INSTALLER,sha256=BBBB,4",
        "sample-1.0.dist-info/direct_url.json,sha256=CCCC,90",
        "sample/__pycache__/a.cpython-311.pyc,,",
    ]
    record.write_text("\r\n".join([*added, *reversed(lines)]) + "\r\n")
    assert dependency_lines([loaded(site)], []) == before


def test_another_build_of_a_distribution_measures_otherwise(site: Path) -> None:
    record = install(site)
    before = dependency_lines([loaded(site)], [])
    (site / "sample/__init__.py").write_text("NAME = 'other'\n")
    record.write_text(
        "\n".join([row(site, "sample/__init__.py"), *record.read_text().splitlines()[1:]]) + "\n"
    )
    assert dependency_lines([loaded(site)], []) != before


def test_a_module_that_no_one_installed_counts_by_its_bytes(site: Path, tmp_path: Path) -> None:
    install(site)
    before = dependency_lines([loaded(site)], [])
    (site / "sitecustomize.py").write_text("evil = 1\n")
    (site / "sample/extra.abi3.so").write_bytes(b"\x7fELF")
    (tmp_path / "beside.py").write_text("evil = 2\n")
    digest = hashlib.sha256(b"evil = 1\n").hexdigest()
    assert dependency_lines([loaded(site), loaded(site, "sitecustomize", "sitecustomize.py")], []) == sorted(
        [*before, f"module sitecustomize {digest}"]
    )
    for module in (
        loaded(site, "sample.extra", "sample/extra.abi3.so"),
        loaded(tmp_path, "beside", "beside.py"),
    ):
        assert len(dependency_lines([loaded(site), module], [])) == 2


def test_our_own_packages_and_the_standard_library_are_left_to_others(site: Path) -> None:
    assert dependency_lines([loaded(site)], [f"{site}/sample/"]) == []
    assert dependency_lines([hashlib, base64], []) == []


def test_a_module_name_cannot_forge_a_line(site: Path) -> None:
    (site / "x.py").touch()
    with pytest.raises(MeasurementError):
        dependency_lines([loaded(site, f"x {'0' * 64}\nfile y", "x.py")], [])


def test_the_lock_is_compared_with_every_installed_file(site: Path) -> None:
    install(site, extra="")
    install(site, "other", "2.0+cpu")
    assert check_lock("# pins\nsample==1.0\nOther==2.0 ; python_version > '3'\nabsent==3\n") == 4


def test_a_file_that_two_of_the_lock_brought_may_be_that_of_either(site: Path) -> None:
    install(site)
    install(site, "other")
    shared = site / "docs" / "index.rst"
    shared.parent.mkdir()
    for name in ("sample", "other"):
        shared.write_text(name)
        record = site / f"{name}-1.0.dist-info" / "RECORD"
        record.write_text(record.read_text() + row(site, "docs/index.rst") + "\n")
    both = "sample==1.0\nother==1.0"
    assert check_lock(both) == 6
    # Not that of one which the lock does not name, and not anybody's.
    for lock, content in (("sample==1.0", "other"), (both, "somebody's")):
        shared.write_text(content)
        with pytest.raises(MeasurementError) as refused:
            check_lock(lock)
        assert refused.value.code == "dependency_changed"


@pytest.mark.parametrize(
    ("lock", "damage", "code"),
    [
        ("sample==1.1", lambda site: None, "dependency_not_locked"),
        ("sample==1.0", lambda site: (site / "sample/a, b.py").write_text("y"), "dependency_changed"),
        ("sample==1.0", lambda site: (site / "sample/a, b.py").unlink(), "dependency_changed"),
    ],
    ids=["another version", "a changed file", "a missing file"],
)
def test_an_installation_that_is_not_the_locks_is_refused(
    site: Path, lock: str, damage: Callable[[Path], object], code: str
) -> None:
    install(site)
    damage(site)
    with pytest.raises(MeasurementError) as refused:
        check_lock(lock)
    assert refused.value.code == code


@pytest.fixture
def cached(tmp_path: Path) -> tuple[ModuleType, Path, Path]:
    """A module with its source and its cache, as Python leaves them."""
    source = tmp_path / "code.py"
    source.write_text("def answer():\n    return 42\n")
    cache = Path(py_compile.compile(str(source), doraise=True) or "")
    spec = importlib.util.spec_from_file_location("code", source)
    assert spec is not None
    return importlib.util.module_from_spec(spec), source, cache


def forge(source: Path, cache: Path, flags: int) -> None:
    """Another program under a header that Python believes."""
    evil = compile("def answer():\n    return 43\n", str(source), "exec")
    header = bytearray(cache.read_bytes()[:16])
    header[4:8] = flags.to_bytes(4, "little")
    if flags == 0b11:
        header[8:16] = importlib.util.source_hash(source.read_bytes())
    cache.write_bytes(bytes(header) + marshal.dumps(evil))


def check(cached: tuple[ModuleType, Path, Path]) -> None:
    module, source, _ = cached
    check_bytecode([module], [f"{source.parent}{os.sep}"])


def test_an_honest_cache_is_accepted(cached: tuple[ModuleType, Path, Path]) -> None:
    check(cached)
    cached[2].unlink()
    check(cached)


@pytest.mark.parametrize("flags", [0b00, 0b01, 0b11], ids=["by time", "unchecked", "by hash"])
def test_a_forged_cache_that_python_would_run_is_refused(
    cached: tuple[ModuleType, Path, Path], flags: int
) -> None:
    _, source, cache = cached
    forge(source, cache, flags)
    with pytest.raises(MeasurementError) as refused:
        check(cached)
    assert refused.value.code == "bytecode_differs"


def test_a_cache_of_rubbish_is_refused(cached: tuple[ModuleType, Path, Path]) -> None:
    cache = cached[2]
    cache.write_bytes(cache.read_bytes()[:16] + b"\xff")
    with pytest.raises(MeasurementError):
        check(cached)


def test_a_cache_that_python_compiles_anew_does_not_matter(cached: tuple[ModuleType, Path, Path]) -> None:
    _, source, cache = cached
    forge(source, cache, 0b00)
    os.utime(source, (0, 0))
    check(cached)
