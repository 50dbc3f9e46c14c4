"""Following things through time, so that a missed detection is not a missed cover.

sighting.py   one face through time, and where its cover lies in any frame
motion.py     where a face is going: a Kalman filter
pairing.py    which detection belongs to which face, while the camera pans as well
tracker.py    follows all faces of a video
steady.py     whether faces moved so little that frames between two looks need none
scene.py      where one shot ends and the next begins
stillness.py  whether a picture is still the one that was looked at
"""
