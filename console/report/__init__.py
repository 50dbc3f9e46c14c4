"""What a check found, told three ways: lines for a terminal, an object for programs, a page for everybody.

verdict   the check of a file by its proof and a trust file, and its outcome as lines and as an object
words     every word that a statement may hold, in plain English
page      the outcome as one self-contained HTML page: no script, nothing loaded, every value escaped
pieces    the same for a part of an original, and a copy without a statement (pieces_page: as a page)
untouched which share of a copy is the original's, in words (untouched_section: in a page)
undecoded what a verifier without a decoder says of these
saving    the page appears whole or not at all, and never in the place of what was checked
program   `bauta-verify`, which the folder verifier/ packages with `provenance` and nothing else

Nothing here imports more than `provenance` and the standard library: whoever checks a proof needs no more.
"""
