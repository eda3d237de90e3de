"""Counts and shortens text."""

from textkit.counting import count_words, most_common
from textkit.shortening import shorten

__all__ = ["count_words", "most_common", "shorten"]
