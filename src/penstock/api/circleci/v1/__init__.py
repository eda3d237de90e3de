"""API v1.1, as far as clients still call it: builds are jobs, and their steps and output are here alone."""
