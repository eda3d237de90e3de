"""State at rest: SQL, blobs, logs, sealed secrets."""
