"""The leak report: every job attacks its own result before it is sealed, and holds what fails.

attack.py      one passage's attack: opened before it, told of every frame, run on the finished file
covered.py     what a frame was to hide, as it is kept until then
gathering.py   sees every frame on its way
risk.py        how risky a frame is, from what is known while it passes
samples.py     which frames are kept: some of all, and the riskiest
every.py       all of them, packed, where a policy wants all looked at
checked.py     counts frames that nobody looked at
planning.py    which frames are decoded within a budget
attacking.py   reads them from the finished file, and lets attackers look
tally.py       what these found, added up
eyes.py        those who look at pictures: faces.py, identities.py, readable.py and what these need
voices.py      who listens; stretches.py to which parts of the finished sound
metadata.py    what the file tells about itself; told/ reads it by its structure
figures.py     the figures: whole numbers
floors.py      which of them a policy does not bear
again.py       the settings of the second round

The covering is never asked how it worked: the figures come from the finished file, and from who was shown
which pixels.
"""
