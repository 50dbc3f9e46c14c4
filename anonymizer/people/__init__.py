"""Finding people, whole: in front of a steady camera, by their pose, or by a network that was added.

background.py     what differs from a steady camera's usual picture, and whether the camera is steady
moving.py         boxes around what moves
pose_decoding.py  what the two pose networks answer, turned into places in a picture
pose_networks.py  the two networks, compiled before the wall
pose.py           people in one frame: found small, then looked at one by one
bodies.py         one person read closely: joints and outline
joining.py        boxes that show one person become one
"""
