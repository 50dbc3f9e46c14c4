"""One module a command of `bauta`."""
