"""The same face with its features moved: eyes, nose, mouth and outline, by a seed. WEAK, and labelled so.

Every pixel that it shows is an original one, somewhere else. It misleads somebody who glances at a picture;
a face recognizer mostly still knows who it is (docs/models.md and docs/effects.md give figures). Whoever must
not be known needs another effect.

operating.py  the Operator
altering.py   which feature goes where
bending.py    the picture bent after them
"""
