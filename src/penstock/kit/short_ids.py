"""UUIDs in 22 letters and digits, as they stand in slugs."""

import string
from uuid import UUID

LENGTH = 22
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}


def shorten_id(uuid: str) -> str:
    """The UUID in base 62, always of the same length."""
    number, digits = UUID(uuid).int, []
    for _ in range(LENGTH):
        number, value = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[value])
    return "".join(reversed(digits))


def expand_id(text: str) -> str | None:
    """The UUID in canonical text that `shorten_id` made this of, None when it made no such text."""
    if len(text) != LENGTH or not all(digit in _VALUES for digit in text):
        return None
    number = 0
    for digit in text:
        number = number * len(_DIGITS) + _VALUES[digit]
    return str(UUID(int=number)) if number < 1 << 128 else None
