"""The way of a sound track through a job: heard once, and then made anew.

effects.py      what can become of a voice
unbroken.py     decoded sound on one clock, without holes
listening.py    the first pass: who speaks when, which words are said, how loud it is when
plan.py         what becomes of every moment, and who decides it
masks.py        who has which voice: seeds, from the job's secret and a pseudonym
pieces.py       a plan in pieces that fit into memory, and how one passes into the next
rendering.py    what is heard instead, piece by piece
making.py       the second pass: cleaned, rendered, measured
track.py        the encoded sound of the result, let through or made anew
job.py          what one job does with a track, by its settings and decisions
alone.py        a file of sound alone, from end to end
reading.py      decodes the sound of a container, and nothing else
resampling.py   from one sampling rate to another
envelope.py     how loud it is in every hundredth of a second, and by how much two tracks are apart
loudness.py     ITU-R BS.1770
figures.py      what a job tells of all this
room/           what tells of the place and the time, besides who speaks

Times are seconds of the result. What is not decided to be kept is never let through, also between turns.
"""
