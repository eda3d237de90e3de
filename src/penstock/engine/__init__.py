"""The use cases: nothing else changes the state of a run."""
