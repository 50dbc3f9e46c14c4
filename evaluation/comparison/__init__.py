"""An original and its result side by side.

By default no pixel of the original is in a comparison: its left side is the result, with a cover wherever the
original was changed. So it tells where something was covered, and no more about what. Opened, the left side
is the original itself.

changed.py    where two pictures differ beyond what an encoder does
panels.py     two pictures and their labels on one sheet
reading.py    the pictures of a video, or a still, as RGB
comparing.py  the whole way: two files in, one out
"""

from __future__ import annotations

from evaluation.comparison.comparing import Comparison, compare
from evaluation.errors import EvaluationError

__all__ = ["Comparison", "EvaluationError", "compare"]
