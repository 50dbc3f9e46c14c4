"""What a result still is as a picture: how like its original, how steady, and what can still be read from it.

likeness.py    SSIM and PSNR of two pictures
perceptual.py  what a network says of two pictures: a user's own, or LPIPS where its files are
lpips.py       LPIPS itself
motion.py      flicker, and whether what moved still moves
poses.py       whether bodies are still read as they stood
actions.py     whether a user's classifier still sees the same being done
evaluating.py  two files or two folders in, findings out
findings.py    the findings, and as JSON
telling.py     the same in lines and as sections of a page
"""
