"""The leak report: every job attacks its own result before it is sealed, and holds what fails.

covered.py    what a frame was to hide, as it is kept until the result is attacked
gathering.py  sees every frame on its way, and keeps the risky ones and some spread evenly
risk.py       how risky a frame is, from what is known while it passes
checked.py    counts frames that nobody looked at
attacking.py  reads frames of the finished file and lets attackers look, within a budget
eyes.py       those who look at pictures, and what they find
voices.py     who listens
metadata.py   what the file tells about itself
figures.py    the figures: whole numbers
floors.py     which of them a policy does not bear
again.py      the settings of the second round, wider and more sensitive

The covering is never asked how it worked: the figures come from the finished file, and from who was shown
which pixels.
"""
