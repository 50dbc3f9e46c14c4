"""A drawn head in the place of a face: plainly nobody's, and it does what the face does.

persona.py   the operator: who has which persona, and what it does in this frame
identity.py  how a persona looks, all of it from a seed
portrait.py  one persona drawn: look, pose and expression in, a picture out
head.py      skull, face, ears and neck as surfaces
hair.py      hair, and what is worn instead of it
skin.py      what stays on a face: skin, freckles, beard, the edge of the hair
features.py  what moves on it: eyes, brows, mouth
glasses.py   what is worn before it
sheet.py     the sheet that a face is drawn on, flat
meshes.py    surfaces made of a grid of points
raster.py    surfaces seen by a camera, and the light on them
"""
