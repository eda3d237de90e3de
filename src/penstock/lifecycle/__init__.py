"""State machines as tables and pure functions: how a run changes, without I/O, clock or chance."""
