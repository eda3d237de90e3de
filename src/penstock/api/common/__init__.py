"""What all dialects share: how a request is read, routed, answered, logged and counted."""
