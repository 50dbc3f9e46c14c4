"""Content credentials: a fresh C2PA manifest (C2PA 2.2) inside a result, for other people's tools to read.

assertions.py    what a manifest says: actions, evidence, binding
claim.py         the claim over them, what is signed, and the whole store
certificates.py  who signs: certificates made for the vault, and checks of installed ones
labels.py        names that both sides need
jumbf.py         boxes
carriers/        where each file format carries a manifest
embedding.py     a manifest into a finished file, in one pass and constant memory
reading.py       a result's manifest, read and judged by the c2pa library

Import from the modules: the vault needs the claim, a worker the embedding, a verifier the reading, and only
the last of them loads the c2pa library, when it is used.
"""
