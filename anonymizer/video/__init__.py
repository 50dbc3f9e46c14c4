"""Moving pictures.

streams.py    the two streams of a job as FFmpeg sees them
opening.py    opens a container from an allow-list
reading.py    decodes its first picture and sound streams
picture.py    a decoded frame made plain: 8-bit 4:2:0, upright, even, nothing but pixels and times
following.py  what is followed on behalf of one finder: its trackers, told of looks in order
searching.py  one finder's way through a video: when it looks, and what it saw
copies.py     scaled copies for a detector
calm.py       whether anything happened that a new look would have to see
covering.py   finds and covers things a little behind the newest frame, so that covers can start early
clock.py      times carried over exactly
lane.py       one thread beside, for the encoder
writing.py    H.264 and AAC in a plain MP4 without metadata
transform.py  the whole way of one video
"""
