"""What a file is, and whether all of it is there, before any decoder sees a byte.

sniff.py       the format, from the first bytes
wholeness.py   containers that end too early: MP4 and MOV, MKV and WEBM, AVI, JPEG, PNG, WebP
gif.py         a GIF's blocks: its size, its frames and its end
still_size.py  a still's size, whether it is animated or lossless
jpeg.py        a JPEG's pixels, or the news that it is damaged
exif.py        the two things taken from EXIF: which side is up, and when it was captured
captured.py    when something was captured, to the month
"""
