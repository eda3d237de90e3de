"""The kinds of steps, a file per kind. Each says what it does in its own log and returns its outcome."""
