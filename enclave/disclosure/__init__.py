"""What opens a recovery package, behind the same wall as a job: one disclosure worker, for one request.

    job.py        the order of things, from the order to the header that opens what was sealed
    handed_over.py  the six descriptors that are all it has
    admission.py  one-job keys, the vault's evidence for them; the wrapped keys, asked for last
    materials.py  what the front desk shows, read and capped
    in_force.py   whose policy and whose shares count: the job's own, or those of a recorded re-sharing
    checking.py   all that must hold, in the order of ADR 24: a pure function
    scope.py      the keys of the scope, and what they open
    restoring.py  the regions put back into the anonymized video, and nothing else of it shown
    sealing.py    sealed to the requester; the header is held back until the release is recorded

It starts when a request is recorded, since custodians seal their shares to keys that it alone has; it waits
for them, and is gone with the service: then the request must be made anew.
"""
