"""Secrets never leave the agent: their values become `****` in output, also when a read cuts through one."""

import re
from collections.abc import Iterable, Sequence
from itertools import chain, combinations_with_replacement, product

from penstock.model.errors import LimitExceededError

STARS = b"****"
_SHORTEST = 4
MOST_ADDED = 200
"""Values that may be added to those a task begins with: each costs a look at everything that is printed."""

_HARMLESS = frozenset({"true", "True", "false", "False"})


def choose_secrets(values: Iterable[str]) -> tuple[bytes, ...]:
    """The values worth masking, longest first.

    Values below four characters and spellings of true and false are left out, because stars in every
    line would hide more than they protect (CircleCI docs: secrets masking).
    """
    chosen = {value for value in values if len(value) >= _SHORTEST and value not in _HARMLESS}
    return tuple(sorted((value.encode() for value in chosen), key=_rank))


def _rank(value: bytes) -> tuple[int, bytes]:
    """Longest first."""
    return -len(value), value


class Secrets:
    """The values of a task that are masked, `choose_secrets` among them; more may come while it runs."""

    def __init__(self, values: Iterable[str]) -> None:
        self.values = choose_secrets(values)
        self._added = 0

    def add(self, value: str) -> None:
        """The value is masked as well, in what is printed from now on. Raises LimitExceededError."""
        if self._added >= MOST_ADDED:
            raise LimitExceededError(f"a job may ask for {MOST_ADDED} tokens: use again those it has")
        self._added += 1
        self.values = tuple(sorted({*self.values, *choose_secrets((value,))}, key=_rank))


class Mask:
    """Replaces secrets in a stream of bytes.

    The result does not depend on how the stream is cut: matches are leftmost, then longest. What could be
    the beginning of a secret is held back until it is decided. Testing for each secret and replacing only
    those that occur is three times faster than one pattern of them all (measured: 20 secrets).
    """

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._held = b""
        self._secrets: tuple[bytes, ...] = ()
        self._tangled = False
        self.learn(secrets)

    def learn(self, secrets: Sequence[bytes]) -> None:
        """These and those it knows are the secrets from here on; what was held back is judged anew."""
        fresh = tuple(set(secrets).difference(self._secrets))  # only they are compared: pairs are many
        pairs = chain(product(fresh, self._secrets), combinations_with_replacement(fresh, 2))
        self._tangled = self._tangled or any(can_overlap(one, other) for one, other in pairs)
        self._secrets = tuple(sorted((*self._secrets, *fresh), key=len, reverse=True))
        self._reach = len(self._secrets[0]) - 1 if self._secrets else 0

    def feed(self, data: bytes) -> bytes:
        """What can be said now: the masked output up to where a secret may be beginning."""
        if not self._secrets:
            return data
        whole = self._held + data if self._held else data
        found = [secret for secret in self._secrets if secret in whole]
        if found and self._tangled:
            return self._replace_tangled(whole, found, last=False)
        cut = self._find_beginning(whole, 0)
        self._held = whole[cut:]
        return _replace_all(whole[:cut] if self._held else whole, found)

    def flush(self) -> bytes:
        """The rest, at the end of the stream: what was held back is no secret after all."""
        rest, self._held = self._held, b""
        found = [secret for secret in self._secrets if secret in rest]
        return self._replace_tangled(rest, found, last=True) if found else rest

    def _replace_tangled(self, data: bytes, found: Sequence[bytes], *, last: bool) -> bytes:
        """The masked data when secrets may overlap; keeps the undecided end unless it is the last."""
        pattern = re.compile(b"|".join(re.escape(secret) for secret in found))
        parts: list[bytes] = []
        position, end = 0, len(data)
        while True:
            match = pattern.search(data, position)
            if not last:
                end = self._find_beginning(data, position)
            if match is None or match.start() >= end:
                break
            parts += (data[position : match.start()], STARS)
            position = match.end()
        parts.append(data[position:end])
        self._held = data[end:]
        return b"".join(parts)

    def _find_beginning(self, data: bytes, start: int) -> int:
        """Where the longest end of the data begins that is the beginning of a secret."""
        first = max(len(data) - self._reach, start)
        tail = data[first:]
        best = len(tail)
        for secret in self._secrets:
            position = tail.find(secret[:1])
            while -1 < position < best:
                if len(tail) - position < len(secret) and secret.startswith(tail[position:]):
                    best = position
                    break
                position = tail.find(secret[:1], position + 1)
        return first + best


def _replace_all(data: bytes, found: Iterable[bytes]) -> bytes:
    for secret in found:
        data = data.replace(secret, STARS)
    return data


def can_overlap(one: bytes, other: bytes) -> bool:
    """True when occurrences of the two can share bytes (one inside the other, or end on beginning)."""
    if one != other and (one in other or other in one):
        return True
    return _continues(one, other) or _continues(other, one)


def _continues(one: bytes, other: bytes) -> bool:
    """True when the end of one, but not the whole of it, is the beginning of the other."""
    place = one.find(other[:1], 1)
    while place > 0:
        if other.startswith(one[place:]):
            return True
        place = one.find(other[:1], place + 1)
    return False
