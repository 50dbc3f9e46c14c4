"""A face made by a network that an operator has added: any that takes a seed, landmarks or a pose.

operating.py  the Operator
network.py    the network behind its manifest (face_manifests.py)
framing.py    the square that it fills, and its face in the picture
"""
