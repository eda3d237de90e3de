"""Rego, the language of policies: read, checked, compiled to closures, and evaluated."""
