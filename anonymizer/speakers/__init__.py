"""Who speaks when. Samples in, turns out; it knows nothing of files, masks or policies.

networks.py    both networks: their files in the warm parent, opened in the child
activity.py    where somebody speaks
encoder.py     who a voice sounds like, as 256 numbers
mel.py         what the encoder sees
weights.py     the encoder's weights out of the file they come in
finder.py      listens to a recording while it passes by
clustering.py  which voices are one
labelling.py   from what was heard to turns
likeness.py    what each speaker sounds like, on the mean
turns.py       turns: who speaks, from when to when, and whether that is sure

Speech is mono float32 at 16 kHz, from -1 to 1.
"""

from anonymizer.speakers.encoder import SpeakerEncoder as SpeakerEncoder
from anonymizer.speakers.finder import SpeakerFinder as SpeakerFinder
from anonymizer.speakers.networks import SpeakerFiles as SpeakerFiles
from anonymizer.speakers.networks import SpeakerNetworks as SpeakerNetworks
from anonymizer.speakers.networks import open_speakers as open_speakers
from anonymizer.speakers.networks import speaker_files as speaker_files
from anonymizer.speakers.turns import Turn as Turn
from anonymizer.speakers.turns import Turns as Turns
