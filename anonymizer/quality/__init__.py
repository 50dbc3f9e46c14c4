"""Quality control: is the result what it should be? Looked at after encoding, from the result itself.

witness.py   sees every frame before it is covered, and keeps little of it: a byte a frame, tiles of a few
tiles.py     where those tiles lie, and how many are kept
flicker.py   counts covers that are there, away for a moment, and there again
readback.py  reads the finished file: every packet of it, and a sample of its pictures
ssim.py      how alike two tiles look
figures.py   the figures, and which of them fall short

A result that falls short is made once more, finer (video/transform.py); then its figures are reported as they
are. Nothing here depends on the length of the video but a few bytes a frame.
"""
