"""Undoing a cover, on purpose: what the front desk keeps for it and does about it.

The desk owns every byte here and can open none. Each statement is checked, made durable, put into the log,
and only then has its effect; no statement of the log is ever forgotten, since whoever reads the log to its
end needs all of them (keyvault/custody/history.py).

kept        what a job left behind: package, sheet, sharing, sealed shares
states      the life of a request, without input or output
book        the database: statements, requests; shelf: consents, notices, policies
recording   statements into the log, in this order: durable, recorded, in force
askers      who may read: signatures by keys that a custody policy names
succession  who decides about a job now, and what was dealt to make it so
views       what is shown to whom
desk        requests, decisions, cancellations, releases
doors       the worker of each open request, from its evidence to its last word
workers     what is expected of a worker; refusals: why one does not go on, in words
materials   all that a worker is shown before it opens anything
checks      what must hold of a statement before it may go into the log; consents: of that kind
erasing     erasures, and what consents come to
notices     sealed words to whoever handed a job in
record      the log with every statement of custody, for an audit
"""
