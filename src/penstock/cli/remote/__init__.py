"""What commands need that talk to a server."""
