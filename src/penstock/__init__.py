"""Penstock: a self-hosted CI server that runs the pipelines a team already has."""

__version__ = "0.1.0"
