"""What a result still is as a picture: how like its original, how steady, and whether it still moves alike.

likeness.py    SSIM and PSNR of two pictures
motion.py      flicker, and whether what moved still moves
evaluating.py  two files or two folders in, findings out
findings.py    the findings, and as JSON
telling.py     the same in lines and as sections of a page

LPIPS is not measured: its backbone is a network of several hundred megabytes, which no package brings along.
"""
