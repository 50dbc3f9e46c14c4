"""Vectors of faces and voices in a user's own files, to enrol somebody or to compare (docs/templates.md).

What is found and how it is told apart is what attackers have: `evaluation.faces` and `evaluation.voice`.

found.py   what was found in files
faces.py   faces in pictures and films
voices.py  one voice in each recording
"""
