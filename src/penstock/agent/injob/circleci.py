"""The `circleci` and `circleci-agent` commands inside a job."""
