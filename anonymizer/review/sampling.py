"""A few of many, evenly spread over a time whose length nobody knows beforehand."""

from __future__ import annotations

from typing import Generic, TypeVar

ItemT = TypeVar("ItemT")


class Few(Generic[ItemT]):
    """Keeps at most a number of items: when there are more, every other one goes, and half as many come.

    Attributes:
        items: those kept, in order of time.
        most: how many may be.
    """

    def __init__(self, most: int) -> None:
        """Takes how many."""
        self.items: list[ItemT] = []
        self.most = most
        self._apart = 0.0
        self._last: float | None = None

    def is_due(self, time: float) -> bool:
        """Tells whether one of this time is wanted. Times, in seconds, come in order."""
        return self._last is None or time - self._last >= self._apart

    def add(self, time: float, item: ItemT) -> None:
        """Takes one that is due."""
        since_last = time - self._last if self._last is not None else 0.0
        self.items.append(item)
        self._last = time
        if len(self.items) > self.most:
            self.items = self.items[::2]
            self._apart = 2 * max(self._apart, since_last)

    def halve(self) -> None:
        """Keeps half as many from now on, and never none."""
        self.most = max(1, self.most // 2)
        while len(self.items) > self.most:
            self.items = self.items[::2]
