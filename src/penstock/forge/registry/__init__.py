"""Where orbs come from: a folder of this server, earlier fetches, a remote registry, the web."""
