"""The nouns of the product and their closed sets of values; every other package speaks these words."""
