"""The documents tell the truth where a machine can tell: links lead somewhere, commands exist."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from enclave.policy import shipped

DOCUMENTS = [
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *sorted(f"docs/{p.name}" for p in Path("docs").glob("*.md")),
]
LINK = re.compile(r"\]\(([^)#:]+)\)")
COMMAND = re.compile(r"^\| `bauta ([a-z]+)", re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str, repository: Path) -> None:
    path = repository / document
    for target in LINK.findall(path.read_text()):
        assert (path.parent / target).exists(), target


def test_the_readme_names_real_commands_and_options(repository: Path, bauta: list[str]) -> None:
    text = (repository / "README.md").read_text()
    commands = set(COMMAND.findall(text))
    assert {"submit", "verify", "serve", "doctor"} <= commands
    for command in commands:
        shown = subprocess.run([*bauta, command, "--help"], capture_output=True, text=True, check=True).stdout
        row = next(line for line in text.splitlines() if line.startswith(f"| `bauta {command}"))
        for option in re.findall(r"`(--[a-z-]+)", row):
            assert option in shown, (command, option)


def test_the_documents_name_policies_that_ship(repository: Path) -> None:
    text = (repository / "docs" / "policies.md").read_text()
    assert all(name in text for name in shipped())


def test_no_machine_of_ours_and_no_host_of_a_registry_is_named(repository: Path) -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=repository, capture_output=True, text=True, check=True)
    forbidden = [b"/work" + b"/main", b"registry." + b"npmjs", b"files.python" + b"hosted"]
    for name in listed.stdout.splitlines():
        content = (repository / name).read_bytes()
        assert not [word for word in forbidden if word in content], name
