"""What runs behind the wall: one job, from the sealed upload to the sealed result and its signed statement.

    job.py         the order of things, from first byte to last
    handed_over.py the ten descriptors that are all a child has
    release.py     one-job keys, and the file key that the vault releases to them
    derived.py     keys that the vault derives alike each time: of a scope's personas, of a review's record
    vault_channel.py  one question to the vault, one answer
    opening.py     the upload: authenticated, committed to, its terms compared, its media as a stream
    review.py      the record and decisions that come in, the package that goes out
    record.py      the record, sealed to this worker, this original, this policy
    untouched.py   the package that shows which tiles of the result are the original's
    scratch.py     a file that only this child can read, for what does not fit in memory
    credentials.py content credentials for the result, where its policy wants them
    sealing.py     the result, sealed to its recipients
    settings.py    what a policy and a mode mean to the anonymizer
    reporting.py   counts and codes, the only words that leave
    failures.py    any failure, as a published code

No module here can reach a network or a file by name (import-linter and the wall both see to it).
"""
