"""What a person needs to look over a job, and what makes a second run of it do as they decided.

recording.py  the record: everything that was seen, exactly as the trackers were told of it
columns.py    boxes as bytes: compact, and exact to the bit
replaying.py  a search that looks at nothing and tells the trackers what the record holds
decisions.py  what a person can decide, and what it means for a track
deciding.py   decisions applied: which covers a frame has in the end
sheet.py      what is shown: for each track its times, its size and a strip of covered thumbnails
filming.py    takes the strips and whole frames, always from the covered picture

A job that is asked for it keeps a `Record` and films a `Sheet`. A second job on the same original is handed
the record and `Decisions`: no detector runs in it. The trackers are told the same at the same moments, so
without decisions the result is the same, byte for byte. Effects and the encoder do run again.

The record, here, is plain bytes:

    bauta.record/v1\\n
    {"cuts":n,"looks":n,"places":[["face",...],...],...}      one line of JSON: what it is about
    blocks: 4 bytes length, then zlib: columns of looks (columns.py)

Who seals it, and in which form the sheet and the decisions travel, is no business of this package: that is
enclave/review, whose first page has the formats.
"""
