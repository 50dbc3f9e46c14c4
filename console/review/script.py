"""The page's one script, and all that a browser may do with the page."""

from __future__ import annotations

import base64
import hashlib

from console.review.deciding import DECIDING
from console.review.style import STYLE
from console.review.wiring import WIRING

SCRIPT = f'"use strict";\n{{\n{DECIDING}\n{WIRING}\n}}\n'


def _allowed(source: str) -> str:
    digest = hashlib.sha256(source.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


CONTENT_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
    f"style-src {_allowed(STYLE)}; script-src {_allowed(SCRIPT)}"
)
"""What a browser may do with the page: apply this style sheet, run this script, show the pictures in it. It
loads nothing, sends nothing, and runs nothing that a sheet might carry."""
