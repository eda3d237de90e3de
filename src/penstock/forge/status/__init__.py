"""Tells git hosts how a commit's jobs and workflows went, each in its own words."""
