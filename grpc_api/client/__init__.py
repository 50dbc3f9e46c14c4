"""What a submitter runs. It trusts the service with ciphertext only, and checks all that it says.

connection   a channel, its stubs, and gRPC errors turned into ours
sealing      preamble and media into an age file
transfer     upload, watch and download, through broken connections
outputs      what is left on the submitter's disk
review       a review package fetched, opened, and held against the statement
review_key   the submitter's half of a review: opens the package, signs decisions
submission   check the intake, seal, upload, watch, fetch, open, verify
"""
