"""How a run is shown while it goes on: live in a terminal, as plain lines, or as JSON."""
