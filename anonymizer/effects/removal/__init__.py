"""People taken out of the picture: the room behind them is painted, and on it what may be told of them.

plate.py       the room without people, learnt as the video goes
changes.py     another light, and what came to stay
cells.py       coarse means of a plane, on which both are told
camera.py      whether the camera stands still, and how far it was moved
holes.py       a guess at what was never seen, by what lies around it
filling.py     what is painted under covers: the plate, or grey
seams.py       the edge between the picture and the plate
masks.py       regions on the coarse grid of a whole picture
cutouts.py     a part of a picture, for the networks
ghosts.py      somebody whom the plate took for a part of the room
foreground.py  what differs from the plate
figures.py     how each person stands and what outline they have, smoothed over time
skeleton.py    limbs and joints, drawn
silhouette.py  outlines, drawn
overlays.py    which of them are drawn, and in which order
drawing.py     flat colours on what was painted
remover.py     the effects "remove" and "silhouette"
"""
