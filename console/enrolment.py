"""Who is enrolled, from the command line or a file: roles, and the pictures or vectors that show whose.

    [[person]]
    role = "speaker"
    pictures = ["ahead.jpg", "smiling.png"]    # beside this file; or embedding = "vector.f32"

A vector is a file of little-endian float32 numbers. Whatever it is, it goes into the seal and nowhere else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from enclave.errors import PreambleError
from enclave.policy import EnrolledPerson, Policy
from enclave.policy.enrolment import MAX_EMBEDDING_BYTES, MAX_PEOPLE, MAX_PICTURE_BYTES, MAX_PICTURES
from grpc_api.client.enrolment import Enrolment

_MAX_FILE_BYTES = 16 << 10
_MOST_DOTS_IN_LINE = 64
_VECTOR = ".f32"
_PICTURES = {".jpg", ".jpeg", ".png"}

EnrolOption = Annotated[
    list[str] | None,
    typer.Option(
        "--enrol",
        metavar="ROLE=PICTURE",
        help="Somebody who agreed to be seen has this role of the policy wherever their face is recognized. "
        "JPEG, PNG, or a vector (.f32); repeat it for each person.",
    ),
]
EnrolledOption = Annotated[
    Path | None,
    typer.Option(
        "--enrolled",
        metavar="FILE",
        help="The same from a TOML file, with several pictures of each person.",
        exists=True,
        dir_okay=False,
    ),
]

# A role, and the files that show whose it is.
_Named = tuple[str, Sequence[Path]]


def enrolment_for(enrol: Sequence[str] | None, enrolled: Path | None, policy: Policy) -> Enrolment:
    """Gives everybody who is enrolled.

    Raises:
        typer.BadParameter: what came is no enrolment, or the policy gives nobody such a role by recognition.
    """
    named = [*map(_from_line, enrol or ()), *(() if enrolled is None else _from_file(enrolled))]
    if len(named) > MAX_PEOPLE:
        raise typer.BadParameter(f"At most {MAX_PEOPLE} people can be enrolled.")
    if any(role not in policy.enrolled_roles for role, _ in named):
        roles = ", ".join(policy.enrolled_roles)
        raise typer.BadParameter(
            f"Under this policy the roles of enrolled people are: {roles}."
            if roles
            else "This policy lets nobody be shown by being recognized (docs/policies.md, roles)."
        )
    try:
        enrolment = Enrolment.of(_read(role, files) for role, files in named)
        enrolment.told(None)
    except PreambleError as error:
        raise typer.BadParameter(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    return enrolment


def _from_line(text: str) -> _Named:
    role, equals, file = text.partition("=")
    if not (role and equals and file):
        raise typer.BadParameter("--enrol takes ROLE=PICTURE.")
    return role, (Path(file),)


def _from_file(path: Path) -> Iterator[_Named]:
    wrong = typer.BadParameter(
        "The enrolment file holds [[person]] tables: a role, and pictures or embedding."
    )
    with path.open("rb") as file:
        content = file.read(_MAX_FILE_BYTES + 1)
    # tomllib takes a key's parts in quadratic time.
    if len(content) > _MAX_FILE_BYTES or any(
        line.count(b".") > _MOST_DOTS_IN_LINE for line in content.split(b"\n")
    ):
        raise wrong
    try:
        document = tomllib.loads(content.decode())
    # ValueError: also what tomllib lets out for impossible dates; RecursionError: deep nesting.
    except (ValueError, RecursionError):
        raise wrong from None
    people = document.get("person")
    if document.keys() != {"person"} or not isinstance(people, list) or not people:
        raise wrong
    for person in people:
        if not isinstance(person, Mapping) or person.keys() not in (
            {"role", "pictures"},
            {"role", "embedding"},
        ):
            raise wrong
        files = person["pictures"] if "pictures" in person else [person["embedding"]]
        if not isinstance(person["role"], str) or not isinstance(files, list) or not files:
            raise wrong
        if not all(isinstance(name, str) and name for name in files):
            raise wrong
        if any((Path(name).suffix.lower() == _VECTOR) != ("embedding" in person) for name in files):
            raise wrong
        yield person["role"], tuple(path.parent / name for name in files)


def _read(role: str, files: Sequence[Path]) -> tuple[str, tuple[bytes, ...]] | EnrolledPerson:
    endings = {file.suffix.lower() for file in files}
    if endings == {_VECTOR}:
        return EnrolledPerson(role, embedding=_bytes(files[0], MAX_EMBEDDING_BYTES))
    if not endings <= _PICTURES or len(files) > MAX_PICTURES:
        raise typer.BadParameter(
            f"Somebody is enrolled by up to {MAX_PICTURES} JPEG or PNG files, or a .f32."
        )
    return role, tuple(_bytes(file, MAX_PICTURE_BYTES) for file in files)


def _bytes(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            content = opened.read(most + 1)
    except OSError:
        raise typer.BadParameter("A picture or vector of an enrolled person cannot be read.") from None
    if not 0 < len(content) <= most:
        raise typer.BadParameter(f"A picture or vector of an enrolled person has 1 to {most} bytes.")
    return content
