"""Shortening text."""


def shorten(text: str, width: int, mark: str = "…") -> str:
    """The text cut at a word so that it is at most `width` characters long, the mark included."""
    if len(text) <= width:
        return text
    room = width - len(mark)
    if room < 0:
        raise ValueError(f"width {width} has no room for {mark!r}")
    cut = text[: room + 1].rsplit(" ", 1)[0][:room]
    return cut.rstrip() + mark
