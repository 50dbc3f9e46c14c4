"""Looks at our own results from outside, as whoever gets one would.

It may use what the anonymizer uses to read and write media. Nothing behind the wall imports it.

comparison/  an original and its result side by side
figures/     what an attack achieved, for whatever can be recognized
voice/       what an attacker makes of voices
faces/       what an attacker makes of faces
people/      what an attacker makes of whole people
pictures/    what a result still is as a picture, and what can be read from it
networks/    networks that a user brings along
vectors/     vectors of faces and voices, to enrol and to compare people
pieces/      parts of an original shown and checked, lossless copies checked
report/      findings as one page
installed.py the models that are installed
"""
