"""What a submitter runs. It trusts the service with ciphertext only, and checks all that it says.

connection   a channel, its stubs, and gRPC errors turned into ours
sealing      preamble and media into an age file
transfer     upload, watch and download, through broken connections
outputs      what is left on the submitter's disk
review       the keys of a review, its package opened, decisions signed
submission   check the intake, seal, upload, watch, fetch, open, verify
"""
