"""What an attack achieved, in figures: the same for voices, faces and whatever else can be recognized.

An attacker is reduced to one table of scores, a row for each trial and a column for each candidate.
Everything here follows from that table; nothing here knows what was recognized, or how.

scores.py          the table: who was tried against whom, and with what score
verification.py    "the same person?": equal error rate, true positives at 1 % false positives, ROC
identification.py  "which of them?": Rank-1, Rank-5, mean average precision, CMC
resampling.py      intervals and bands, by drawing persons anew (bootstrap)
discriminant.py    what an attacker learns from anonymized recordings of other people
attacked.py        all figures of one table, with intervals, chance, and a word about small samples
writing.py         the same as JSON and as words

Shares are 0 to 1. An attacker who knows nothing has an equal error rate of .5 and a Rank-1 of chance; a
perfect one has 0 and 1.
"""
