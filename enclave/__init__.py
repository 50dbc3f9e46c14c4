"""The room where a sealed upload is opened: the wall around it, who works inside, who talks to it.

    policy/       what a submitter may ask for: policies (TOML), terms, the first bytes of an upload
    review/       what a person reviews and decides, in the forms that cross the wall
    host/         the front desk's side: starts jobs on a warm parent, reads untrusted reports
    nursery/      the warm parent: imports and models in memory, one walled child for each job
    worker/       the child: one job, from the sealed upload to the sealed result and the signed statement
    wall/         the mechanisms between the child and everything else, one small module each
    attest/       evidence: who runs the code, made and verified without a network
    measurement.py  the SHA-256 that names the code behind the wall
    dependencies.py   what of it is installed from elsewhere
    bytecode.py       that Python runs the sources that were measured
    order.py      a job and its limits, as both sides of the wall write them
    errors.py     one base error, stable codes

`host` and `policy` never import `nursery` or `worker` (import-linter checks it): the front desk cannot reach
plaintext even by mistake.
"""
