"""`bauta reveal`: shows a part of an original, and that it is what was handed in on that day; nothing else.

The original is decoded here, on its owner's machine, in a process of its own behind the wall of a job.
Nothing is sent anywhere.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, say
from console.commands.verifying import Witnesses
from console.opening import Opening, read_opening
from console.paths import data_folder
from console.report.pieces import part_document, shown_in_words
from console.report.saving import would_overwrite
from grpc_api.errors import invalid
from provenance.checklist import Checklist
from provenance.committed import Origin, Sources, verify_origin
from provenance.verifier import verify_opening

STILLS = {".jpg", ".jpeg", ".png", ".webp"}
CLIPS = {".mkv", ".mka"}
_TIME = re.compile(r"(?:(?:(\d{1,3}):)?(\d{1,4}):)?(\d{1,7})(?:\.(\d{1,6}))?")


def reveal(
    original: Annotated[
        Path, typer.Argument(metavar="ORIGINAL", help="What was handed in.", exists=True, dir_okay=False)
    ],
    opening: Annotated[
        Path,
        typer.Option(
            help="What `bauta submit --opening` or `bauta recording sign` kept.", exists=True, dir_okay=False
        ),
    ],
    target: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="An MKV (MKA for sound alone). Of a picture, a PNG of its pixels, or all of its file under "
            "its own ending.",
        ),
    ],
    begins: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Where the part begins: 83, 1:23 or 1:23.5."),
    ] = None,
    ends: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Where it ends; what is seen then is left out.")
    ] = None,
    no_sound: Annotated[bool, typer.Option("--no-sound", help="Show the pictures alone.")] = False,
    proof: Annotated[
        Path | None, typer.Option(help="The proof of the job.", exists=True, dir_okay=False)
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="A recording's signature, besides or instead.", exists=True, dir_okay=False),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Show a part of an original, without loss, to be what was handed in; the rest stays hidden.

    Writes OUTPUT and OUTPUT.reveal, and copies the proof to OUTPUT.proof, the signature to OUTPUT.recording:
    whoever gets these runs `bauta verify OUTPUT`.
    """
    suffix = _suffix(original, target)
    if suffix in CLIPS and (begins is None or ends is None):
        raise typer.BadParameter("A part of a film or of sound needs --from and --to.")
    from_us, to_us = (0, 0) if begins is None or ends is None else (_time(begins), _time(ends))
    if suffix in CLIPS and from_us >= to_us:
        raise typer.BadParameter("The part ends before it begins.")
    files = {
        ending: target.with_name(target.name + ending) for ending in ("", ".reveal", ".proof", ".recording")
    }
    given = [path for path in (original, opening, proof, recording) if path is not None]
    if any(would_overwrite(path, given) for path in files.values()):
        raise typer.BadParameter("The part would overwrite what it is made of.")
    opened = read_opening(opening)
    sources = Witnesses(trust or data_folder(data) / "trust.json", proof, recording).sources()
    origin = _origin(original, opened, sources)
    say("Whoever gets these files sees what they show, uncovered.")
    if suffix in STILLS and suffix == original.suffix.lower():
        say("That is every byte of the file, with all that its camera or a program wrote into it.")
    # Only here: no other command needs the reader's room.
    from evaluation.errors import EvaluationError
    from evaluation.pieces.revealing import Asked, reveal

    asked = Asked(
        original=original,
        secret=opened.pieces_secret,
        root=origin.root,
        tiles=_has_tiles(opened, origin),
        from_us=from_us,
        to_us=to_us,
        with_sound=not no_sound,
        suffix=suffix,
    )
    with tempfile.TemporaryDirectory(dir=target.absolute().parent, prefix=".bauta-") as folder:
        part = Path(folder) / "part"
        try:
            package, checked = reveal(asked, part, sources)
        except EvaluationError as error:
            raise invalid(error.code, str(error)) from None
        (Path(folder) / "package").write_bytes(package)
        made = {part: files[""], Path(folder) / "package": files[".reveal"]}
        for named, ending in ((proof, ".proof"), (recording, ".recording")):
            if named is not None:
                copied = Path(folder) / ending[1:]
                shutil.copyfile(named, copied)
                made[copied] = files[ending]
        _appear(made)
    shown = checked.verified.package
    document = {
        "output": str(target),
        "package": str(files[".reveal"]),
        "commitment": origin.root.hex(),
        "part": part_document(shown, checked.sound_after_us),
        "package_bytes": len(package),
    }
    told = [str(path) for path in made.values()]
    output.result(document, "\n".join([*told, f"{shown_in_words(shown)}; verified."]))
    return 0


def _origin(original: Path, opened: Opening, sources: Sources) -> Origin:
    """Checks who committed, and, before anything is decoded, that it was to this file.

    Raises:
        VerificationError: with the first step that failed.
    """
    origin = verify_origin(Checklist(sources.steps), sources)
    if origin.stated is not None and opened.salt:
        with original.open("rb") as media:
            verify_opening(media, opened.salt, bytes.fromhex(origin.stated.facts.original_commitment))
    return origin


def _has_tiles(opened: Opening, origin: Origin) -> bool:
    """Whether the commitment has a tree of tiles: devices make one, and jobs for evidence."""
    return bool(opened.secret) or (origin.stated is not None and bool(origin.stated.facts.untouched))


def _suffix(original: Path, target: Path) -> str:
    suffix, own = target.suffix.lower(), original.suffix.lower()
    allowed = {".png", own} if own in STILLS else CLIPS
    if suffix not in allowed:
        raise typer.BadParameter(f"The part of this original is {' or '.join(sorted(allowed))}.")
    if not target.absolute().parent.is_dir():
        raise typer.BadParameter("The folder of the output does not exist.")
    return suffix


def _time(text: str) -> int:
    """Reads a time in microseconds."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise typer.BadParameter("A time is seconds (83), minutes and seconds (1:23.5), or 0:01:23.")
    hours, minutes, seconds, rest = found.groups(default="0")
    whole = int(hours) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1_000_000 + int(rest.ljust(6, "0"))


def _appear(made: dict[Path, Path]) -> None:
    """Gives every file its name, the part last: it never stands there without its package."""
    for path in made:
        path.chmod(0o600)
        with path.open("rb") as file:
            os.fsync(file.fileno())
    for path, name in reversed(made.items()):
        path.replace(name)
