"""CircleCI's API v2, and the calls of v1.1 and others that its clients still make."""
