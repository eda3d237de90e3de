"""Questions over the facts of what ran."""
