"""A server behind a network: the same calls as in one process, over HTTP."""
