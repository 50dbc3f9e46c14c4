"""What an attacker makes of faces that were covered: whose they are.

What is attacked, and by whom:

pairing.py      two files or two folders as pairs, with the person where a folder says so
finding.py      faces in the originals, followed through a film
gathering.py    pairs in; out come samples: one face at one moment, as it was and as it was made
persons.py      who is who where no folder says it
recognizers.py  what a recognizer is, and the one that installs by itself
dlib_network.py that one's network, run by torch
added.py        recognizers by manifest

What is tried:

comparing.py    trials against a gallery: Rank-1, Rank-5, mAP, CMC, with intervals
attackers.py    who attacks, what each of them knows, and what they do first
restoring.py    what is done by a formula: deblurring, enlarging
averaging.py    one picture of many frames
reversal.py     what is learned: a network from covered to uncovered faces

What comes out:

bands.py        a figure in a word, and whether an effect counts as weak
drift.py        how steady the face in the result is over time
findings.py     the findings, and as JSON
telling.py      the same in lines and as sections of a page
evaluating.py   two files or two folders in, all findings out

Attackers are given more than they have: they know where in the result a face was, to the pixel, and how it
was turned, from the original. What is measured is what is left to see, not how well it is found.
"""
