"""`bauta compare`: an original and its result side by side, for whoever has both at hand.

Both files are decoded here, on this machine, outside the wall: the original is the user's own, and the result
one that was verified. Nothing is sent anywhere.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from console import output
from console.commands.options import JsonOption, say
from console.report.saving import would_overwrite
from grpc_api.errors import invalid

SUFFIXES = (".mp4", ".m4v", ".jpg", ".jpeg", ".png", ".webp")


def compare(
    original: Annotated[
        Path, typer.Argument(metavar="ORIGINAL", help="What was handed in.", exists=True, dir_okay=False)
    ],
    result: Annotated[
        Path, typer.Argument(metavar="RESULT", help="What came of it.", exists=True, dir_okay=False)
    ],
    target: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="An MP4, or a picture: of a video, one of four moments.", dir_okay=False
        ),
    ],
    open_: Annotated[
        bool,
        typer.Option(
            "--open",
            help="Show the original as it is on the left: whoever gets that file sees who was covered.",
        ),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Put an original and its result side by side, covered on both sides unless --open."""
    suffix = target.suffix.lower()
    if suffix not in SUFFIXES:
        raise typer.BadParameter(f"The comparison is one of {', '.join(SUFFIXES)}; give it that ending.")
    if not target.absolute().parent.is_dir():
        raise typer.BadParameter("The folder of the output does not exist.")
    if would_overwrite(target, [original, result]):
        raise typer.BadParameter("The comparison would overwrite what is compared.")
    document = _written(original, result, target, suffix, is_open=open_)
    if open_:
        say("The left side is the original as it is: this file shows who was covered. Keep it to yourself.")
    percent = f"{100 * document['changed_share']:.1f} %"
    output.result(
        {"output": str(target), **document, "original_visible": open_},
        f"{target}\n{document['frames']} frames, {document['changed_frames']} of them changed beyond coding, "
        f"{percent} of the picture on the mean; left side {'open' if open_ else 'covered'}.",
    )
    return 0


def _written(original: Path, result: Path, target: Path, suffix: str, *, is_open: bool) -> dict[str, float]:
    """Makes the comparison, which appears once it is whole, and tells what it shows.

    Raises:
        ServiceError: with one of the codes of `evaluation` or of media.
    """
    # Only here: no other command needs the decoders, which take a second to load.
    from evaluation.comparison import EvaluationError, compare

    with (
        original.open("rb") as before,
        result.open("rb") as after,
        # Readable by its owner alone, as every temporary file; and it stays so.
        tempfile.NamedTemporaryFile(dir=target.absolute().parent, prefix=".bauta-", delete=False) as sink,
    ):
        temporary = Path(sink.name)
        try:
            made = compare(before, after, cast("BinaryIO", sink), suffix, is_open=is_open)
            sink.flush()
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException as reason:
            temporary.unlink(missing_ok=True)
            if isinstance(reason, EvaluationError):
                raise invalid(reason.code, str(reason)) from None
            raise
    return {
        "frames": made.frames,
        "changed_frames": made.changed_frames,
        "changed_share": round(made.changed_share, 4),
    }
