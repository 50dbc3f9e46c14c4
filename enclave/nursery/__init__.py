"""The warm parent: `python -m enclave.nursery --front-fd N --vault-fd N`.

    __main__.py    the command
    environment.py what must be set before the first native library loads
    warming.py     imports, models, measurement; then the outer wall
    rehearsal.py   one child that does nothing but say which walls stand
    parent.py      orders in, children out
    warden.py      one job's two processes

It loads everything once, gives up every right it can, and then forks one walled child for each job, in
milliseconds. It never sees plaintext.
"""
