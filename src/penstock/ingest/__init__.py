"""Compilers of foreign facts: test reports and, later, foreign events."""
