"""Messages between the server and its agents. Both sides may be one process or far apart."""
