"""The front desk: it takes sealed uploads, keeps job states, records proofs, and never sees a plaintext.

config      every limit, with its unit in its name
identity    who is calling: the client certificate, or the owner of the local socket; with a key besides
admission   who may hand a job in at all, where the operator asks for tokens
interceptor the one place where errors become gRPC statuses; rate limits
messages     a sentence for each code that a job can fail with
jobs/       the state machine (no I/O), the job store (SQLite), the spool (ciphertext files), the dispatcher
register    the release of the worker that is there, shown to the vault
ledger      statements into the log, proofs out of it
timestamps  asks time-stamping authorities to stamp what was recorded
disclosures/ undoing a cover: what is kept for it, requests, decisions, workers, erasures
durable     a database and a folder's names, on the disk
services/   the services of protos/bauta/v1
server      puts them together; health, reflection, draining
tls         certificates for remote use
client/     what a submitter runs: check, seal, upload, watch, fetch, open, verify
"""
