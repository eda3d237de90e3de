"""Expansion: calls of jobs, commands and executors replaced by what they stand for."""
