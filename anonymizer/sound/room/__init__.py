"""What a sound track tells of the place and the time, besides who speaks: taken out, levelled, or covered.

cleaner.py      the whole way of a track, in pieces of any length: RoomCleaner
gathering.py    pieces of any length become blocks of one length, so that no result depends on the pieces
flattening.py   all channels become one, whatever their polarity
filtering.py    one filter for hum and for what nobody hears: the clock of the mains, infrasound, ultrasound
framing.py      short overlapping frames, and their energies in bands as wide as the ear's
echoes.py       steady noise and late echoes taken down, and where nobody speaks, everything
decays.py       how fast sound dies away in a room, from the sound alone
suppressing.py  one channel, frame by frame: the two above at work, and comfort noise under everything
comfort.py      the same quiet noise for everybody, in place of the room's own
figures.py      what was there before and what is there after, measured on the track itself

None of it knows voices: what is kept goes through all of it. Whoever changes a voice hears the track
flattened and no more, since no sample of that comes out. docs/sound.md has the measured figures and says what
stays.
"""

from anonymizer.sound.room.cleaner import RoomCleaner
from anonymizer.sound.room.comfort import ComfortNoise
from anonymizer.sound.room.figures import RoomFigures
from anonymizer.sound.room.flattening import Flattener

__all__ = ["ComfortNoise", "Flattener", "RoomCleaner", "RoomFigures"]
