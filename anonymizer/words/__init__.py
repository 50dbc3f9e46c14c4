"""Spoken words that name somebody, a day or a place: found by time, so that a tone can cover them.

classes.py      the words of a class (numbers, dates), and what a policy may ask for: WordList
recognizer.py   a recognizer that is installed, loaded and checked once in the warm parent
finder.py       speech in, stretches of time out: WordFinder

The words themselves stay here: what leaves is when something is covered, never what was said. A recognizer
hears wrongly, and misses names that it never learned: docs/sound.md says how often.
"""

from anonymizer.words.classes import CLASSES, WordList
from anonymizer.words.finder import Span, WordFinder
from anonymizer.words.recognizer import PACKAGE, Recognizer, load_recognizer

__all__ = ["CLASSES", "PACKAGE", "Recognizer", "Span", "WordFinder", "WordList", "load_recognizer"]
