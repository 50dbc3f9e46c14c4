"""The whole page, and how it reaches the disk: whole or not at all, readable by its owner alone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from evaluation.report.markup import Content, text
from evaluation.report.style import CONTENT_POLICY, STYLE

TITLE = "What attackers made of an anonymized recording"


def render(parts: Iterable[Content]) -> str:
    """Returns the page.

    Args:
        parts: what stands in it, in its order: markup, or text that will be escaped.
    """
    body = "\n".join(map(text, parts))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{text(CONTENT_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(TITLE)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n<h1>{text(TITLE)}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def save(target: Path, page: str) -> None:
    """Writes a page.

    Raises:
        OSError: nothing was written.
    """
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=target.absolute().parent, prefix=".bauta-", delete=False
    ) as sink:
        temporary = Path(sink.name)
        try:
            sink.write(page)
            sink.flush()
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
