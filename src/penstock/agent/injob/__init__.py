"""Commands that jobs find on their PATH; each file runs alone, without the rest of the package."""
