"""What a finished file tells besides pictures and sound, counted by its structure.

A list of what may be there, not of what may not: a place that nobody thought of counts. Each module knows
what our own writers write, to the byte where a byte has no work to do, and counts the rest.

boxes.py    boxes of an MP4, read one by one
movie.py    its index: what every box in it may say
samples.py  where coded pictures and sound lie, and what lies between them
coded.py    messages within coded pictures and sound
jpeg.py, png.py, webp.py
            stills, segment by segment and chunk by chunk

The bytes are believed no more than anybody else's: sizes are capped, and what cannot be read is an error.
"""
