"""What is recognized, in words: faces, or whole people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Subject:
    """What an evaluation is about.

    Attributes:
        one, many: what is attacked.
        title, shown, how_to_read: the headings of a page's sections.
        given: what attackers are told that they would have to find out.
        besides: what beside it names people.
    """

    one: str
    many: str
    title: str
    shown: str
    how_to_read: str
    given: str
    besides: str


FACES: Final = Subject(
    one="face",
    many="faces",
    title="Whose face it is",
    shown="What the results show of faces",
    how_to_read="How to read the figures about faces",
    given="Attackers are given the place and the turn of every face from the original.",
    besides="hair, neck and clothes name people too",
)
PEOPLE: Final = Subject(
    one="body",
    many="bodies",
    title="Whose body it is",
    shown="What the results show of bodies",
    how_to_read="How to read the figures about bodies",
    given="Attackers are given the place of every body from the original.",
    besides="clothes, bags, company and place name people too, and a gait is not looked at at all",
)
