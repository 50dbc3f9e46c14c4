"""The services of protos/bauta/v1: each method translates, asks the desk, and translates back."""
