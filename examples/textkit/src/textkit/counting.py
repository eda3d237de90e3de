"""Counting words."""

import re
from collections import Counter

WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


def count_words(text: str) -> Counter[str]:
    """How often each word occurs, in lower case."""
    return Counter(word.lower() for word in WORD.findall(text))


def most_common(text: str, limit: int = 3) -> list[str]:
    """The most frequent words; equally frequent ones in alphabetical order."""
    counted = count_words(text)
    return sorted(counted, key=lambda word: (-counted[word], word))[:limit]
