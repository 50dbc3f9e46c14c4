"""What a custodian looks at before a decision, as one page: the request, and covered pictures of whom."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from console.disclosing import lines_of
from console.report.markup import Content, Markup, element, section, table, text
from console.report.style import STYLE
from grpc_api.client.disclosures import Asked, KeptJob
from keyvault.recovery.sheet import RecoverySheet, SheetEntry

# Pictures from the page itself, its own style sheet, and nothing else.
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'"


def render(sheet: RecoverySheet, asked: Asked, kept: KeptJob) -> str:
    """Makes the page: no script, nothing loaded; every picture in it is of a covered track."""
    body = "".join(part.source for part in _parts(sheet, asked, kept))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>A request to uncover</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    )


def _parts(sheet: RecoverySheet, asked: Asked, kept: KeptJob) -> Iterator[Markup]:
    wanted = set(asked.request.facts.tracks)
    yield element("h1", "A request to uncover")
    rows: list[tuple[Content, ...]] = [
        (line[:12].strip(), line[12:].strip()) for line in lines_of(asked.disclosure, kept)
    ]
    yield section("What is asked", table("Checked against the witnessed log", ("What", "Value"), rows))
    yield section("Whom it is about", *_tracks(entry for entry in sheet.tracks if entry.track in wanted))
    missing = sorted(wanted - {entry.track for entry in sheet.tracks})
    if missing:
        yield element("p", f"The sheet of the job has no track {', '.join(map(str, missing))}.")
    yield element("p", "Pictures are of the covered result. Nobody who decides sees what is under a cover.")


def _tracks(entries: Iterator[SheetEntry]) -> Iterator[Markup]:
    for entry in entries:
        when = f"{entry.first_ms / 1000:.1f} to {entry.last_ms / 1000:.1f} s"
        yield element("p", f"Track {entry.track}: {entry.kind}, covered by {entry.effect}, {when}")
        if entry.thumbnail:
            source = "data:image/jpeg;base64," + base64.b64encode(entry.thumbnail).decode("ascii")
            alternative = text(f"covered picture of track {entry.track}")
            yield Markup(f'<p><img alt="{alternative}" src="{source}"></p>')
