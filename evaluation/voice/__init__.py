"""What an attacker makes of a voice that was anonymized: who it is, and what is said.

listening.py     an attacker's ears: speech in, a vector of the voice out
discriminant.py  what an attacker learns from anonymized speech of other people
attackers.py     who attacks, and what each of them knows; from vectors to a table of scores
trying.py        an effect tried on speech at hand: `attack(convert, speakers)`
recordings.py    files and folders as speech
words.py         what is left of the words: word errors, STOI
evaluating.py    two files or two folders in, all findings out
findings.py      the findings, and as JSON

Nothing here is imported by whoever only shows findings: that is `findings` and `evaluation.figures`.
"""
