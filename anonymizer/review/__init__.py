"""What a person needs to look over a job, and what makes a second run of it do as they decided.

review.py     what a job is handed of an earlier one, and what it hands on: where to begin reading
session.py    one passage of a video or still: it looks or remembers, decides, keeps
recording.py  the record: everything that was seen, exactly as the trackers were told of it
header.py     its first line: what was searched
columns.py    boxes as bytes: compact, and exact to the bit
replaying.py  a search that looks at nothing and tells the trackers what the record holds
spoken.py     turns of speech as bytes
decisions.py  what a person can decide
deciding.py   decisions applied: what becomes of each thing in a frame
voices.py     the same for each voice
sheet.py      what is shown: for each track its times, its size and a strip of covered thumbnails
filming.py    takes the strips and whole frames, always from the covered picture
sampling.py   a few of many, evenly spread over a time of unknown length

A job that is asked for it keeps a record and a sheet. A second job on the same original is handed the record
and decisions: no detector runs in it. The trackers are told the same at the same moments, so without
decisions the result is the same, byte for byte. Effects and the encoder do run again.

The record is plain bytes here (recording.py has the format), and its size has a bound: memory does not grow
with the length of a video beyond it.

Who seals it, and in which form the sheet and the decisions travel, is no business of this package: that is
enclave/review, whose first page has the formats.
"""
