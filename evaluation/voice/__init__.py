"""What an attacker makes of a voice that was anonymized: who it is, and what is said.

listening.py     an attacker's ears: speech in, a vector of the voice out
acoustics.py     a second pair: what a phonetician would measure
attackers.py     who attacks, and what each of them knows; from vectors to a table of scores
trying.py        an effect tried on speech at hand: `attack(convert, speakers)`
recordings.py    files and folders as speech
words.py         what is left of the words: word errors, STOI
keeping.py       the words of originals and results compared
evaluating.py    two files or two folders in, all findings out
findings.py      what was found
telling.py       the same as lines and as sections of a page
"""
