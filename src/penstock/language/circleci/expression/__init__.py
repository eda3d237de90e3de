"""CircleCI's expression language: `pipeline.git.branch == "main" and 10 or 1`."""
