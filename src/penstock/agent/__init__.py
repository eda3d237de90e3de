"""Runs tasks: takes them from a server by one exchange, runs their steps in an executor, reports."""
