"""Secrets at rest: sealed with AES-256-GCM under a key of the operator's; tokens kept as hashes.

A sealed value is one byte of version, eight bytes that name the key, a nonce of twelve bytes, and the
ciphertext with its tag. The place it belongs to (table, owner, name) is authenticated with it, so a value
that was moved to another row does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from penstock.model.errors import InvalidError, RefusedError, UnavailableError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_VARIABLE = "PENSTOCK_KEY"
KEY_BYTES = 32
TOKEN_LETTERS = 40

_LETTERS = string.ascii_letters + string.digits
_VERSION = b"\x01"
_NAME_BYTES = 8
_NONCE_BYTES = 12
_HEAD_BYTES = 1 + _NAME_BYTES + _NONCE_BYTES

NAME_SPAN = (2, _NAME_BYTES)
"""Where in a sealed value the name of its key is, as SQL counts: the first byte of it, and how many."""


class Sealer:
    """Seals with the first of its keys and opens what any of them sealed. Safe to share among threads."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise InvalidError(f"a sealing key must have {KEY_BYTES} bytes")
        self._keys = {_name_key(key): key for key in keys}
        self._newest = _name_key(keys[0])
        self._ciphers: dict[bytes, AESGCM] = {}

    @classmethod
    def load(cls, path: Path, environment: Mapping[str, str] = os.environ) -> Self:
        """Keys from `PENSTOCK_KEY`, else from the key file, which is made when it does not exist.

        Either holds keys in base64 or hex, newest first, apart by blanks or commas. Raises InvalidError
        for a text that is no key, RefusedError for a file that others may read, UnavailableError when
        the file cannot be read or made.
        """
        text = environment.get(KEY_VARIABLE, "")
        if text.strip():
            return cls(parse_keys(text, f"the variable {KEY_VARIABLE}"))
        return cls(parse_keys(_read_key_file(path), f"the key file {path}"))

    def seal(self, plain: bytes, place: str) -> bytes:
        """The sealed value, which opens only for the same place (`context_variables/7/TOKEN`)."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION + self._newest + nonce
        return head + self._cipher(self._newest).encrypt(nonce, plain, head + place.encode())

    def open(self, sealed: bytes, place: str) -> bytes:
        """The plain value. Raises RefusedError when its key is missing, or value or place was changed."""
        from cryptography.exceptions import InvalidTag

        head, body = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        name = head[1 : 1 + _NAME_BYTES]
        if len(head) < _HEAD_BYTES or head[:1] != _VERSION:
            raise RefusedError("a stored secret is damaged or was sealed by a newer penstock")
        if name not in self._keys:
            raise RefusedError(
                "a stored secret was sealed with a key that is not among the present ones: "
                f"add the old key to {KEY_VARIABLE} or the key file, after the newest"
            )
        try:
            return self._cipher(name).decrypt(head[-_NONCE_BYTES:], body, head + place.encode())
        except InvalidTag as error:
            raise RefusedError("a stored secret was changed or moved outside of penstock") from error

    def is_current(self, sealed: bytes) -> bool:
        """True when the value is sealed with the newest key; if not, seal it again after opening it."""
        return sealed[1 : 1 + _NAME_BYTES] == self._newest

    def has_key(self, name: bytes) -> bool:
        """True when the key of that name, as sealed values carry it, is among these."""
        return name in self._keys

    def derive_keys(self, purpose: str) -> tuple[bytes, ...]:
        """Keys for another purpose, one of each key, the newest first; they tell nothing of it."""
        label = b"penstock " + purpose.encode()
        return tuple(hmac.digest(key, label, "sha256") for key in self._keys.values())

    def _cipher(self, name: bytes) -> "AESGCM":
        """The cipher of a key. It is made on first use: importing the library costs 30 ms."""
        cipher = self._ciphers.get(name)
        if cipher is None:
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            cipher = self._ciphers[name] = AESGCM(self._keys[name])
        return cipher


def make_key() -> str:
    """A new random key in base64, as the key file and the variable hold it."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def parse_keys(text: str, origin: str) -> list[bytes]:
    """The keys of a text, in its order. Raises InvalidError, which names the origin but shows no key."""
    words = [word for word in re.split(r"[\s,]+", text) if word]
    keys = [_parse_key(word) for word in words]
    if not keys or any(key is None for key in keys):
        raise InvalidError(f"{origin} must hold keys of {KEY_BYTES} bytes in base64 or hex")
    return [key for key in keys if key is not None]


def make_token(prefix: str = "") -> str:
    """A new random token of 238 bits after its prefix: 40 letters and digits."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(TOKEN_LETTERS))


def hash_token(token: str) -> str:
    """What is stored of a token. A long random text needs no slow hash and no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def verify_token(token: str, stored: str) -> bool:
    """True when the token has that hash; takes the same time either way."""
    return hmac.compare_digest(hash_token(token), stored)


def _name_key(key: bytes) -> bytes:
    return hashlib.sha256(b"penstock sealing key\0" + key).digest()[:_NAME_BYTES]


def _parse_key(word: str) -> bytes | None:
    if re.fullmatch(r"[0-9a-fA-F]{64}", word):
        return bytes.fromhex(word)
    try:
        key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


def _read_key_file(path: Path) -> str:
    """The text of the key file, which exists afterwards and belongs to its owner alone."""
    try:
        if not path.exists():
            _create_key_file(path)
        with path.open(encoding="ascii", errors="replace") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise RefusedError(
                    f"others may read the key file {path}: run `chmod 600 {path}` and think of a new key"
                )
            return file.read()
    except OSError as error:
        raise UnavailableError(f"the key file {path} cannot be read or made: {error.strerror}") from error


def _create_key_file(path: Path) -> None:
    """Put a whole new key under the name at once; when a rival was first, the rival's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(
            os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "w"
        ) as file:
            file.write(make_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
