"""Looks at our own results from outside, as whoever gets one would.

It may use what the anonymizer uses to read and write media. Nothing behind the wall imports it.

comparison/  an original and its result side by side
"""
