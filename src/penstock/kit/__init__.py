"""Small tools with names: clock, ids, durations, marks. Standard library and msgspec only."""
