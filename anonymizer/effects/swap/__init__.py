"""Another face in place of the covered one: it moves as that does, in the light that is there.

The other face is one that an operator has added, of somebody who agreed to it, or one that is painted. Of the
covered face only its pose and a few small numbers come through (landmarks/expression.py); colour and light
are taken from beside the cover; everything under it is painted anew.

operating.py  the Operator
faces.py      a face that can be put on another: its shape and its picture
sources.py    such a face from a photograph
painting.py   such a face painted by a seed:
eyes.py       its eyes, which look about
brushes.py    what it is painted with
driving.py    how a shape moves: lids, jaw, lips, brows
head.py       hair and neck around it
blending.py   light, and a soft edge
"""
