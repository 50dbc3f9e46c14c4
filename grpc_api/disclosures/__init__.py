"""Undoing a cover, on purpose: what the front desk keeps for it and does about it.

The desk owns every byte here and can open none. Each statement is checked, made durable, put into the log,
and only then has its effect; no statement of the log is ever forgotten, since whoever reads the log to its
end needs all of them (keyvault/custody/history.py).

kept        what a job left behind: package, sheet, sharing, sealed shares
states      the life of a request, without input or output
book        the database: statements, requests, consents, notices
recording   statements into the log, in this order: durable, recorded, in force
askers      who may read: signatures by keys that a custody policy names
desk        requests, decisions, cancellations
doors       the worker of each open request, from its evidence to its last word
materials   all that a worker is shown before it opens anything
erasing     erasures and consents
notices     sealed words to whoever handed a job in
record      the log with every statement of custody, for an audit
"""
