"""The rules by which runs change: tables and pure functions, no I/O, no clock of its own."""
