"""Where a face's features are: 468 points, both irises, and the few numbers that an effect needs of them.

networks.py    face mesh and iris, compiled before the wall
points.py      which of the points is what
cropping.py    an upright square of a scene, out of whatever planes it has
reading.py     a face of one frame
following.py   the same face from frame to frame, steadied
steadying.py   a filter that holds still what rests and lags little behind what moves
expression.py  pose, gaze, lids, mouth and brows as numbers that say nothing of whose face it is
neutral.py     what is one person's own in those numbers, learnt and taken off
"""
