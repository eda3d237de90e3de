"""Passwords, kept as scrypt hashes."""

import base64
import binascii
import hashlib
import hmac
import secrets

_COST = 15  # 2 to the power of this; with 8 blocks it takes 32 MiB and about 60 ms
_BLOCKS = 8
_LANES = 1
_BYTES = 32
_SALT_BYTES = 16
_MEMORY = 128 << 20
_FIELDS = 6
_DEAREST = 17


def hash_password(password: str) -> str:
    """What is stored of a password: the way it was hashed, salt and hash, apart by `$`."""
    salt = secrets.token_bytes(_SALT_BYTES)
    key = _derive(password, salt, (_COST, _BLOCKS, _LANES))
    return f"scrypt${_COST}${_BLOCKS}${_LANES}${_encode(salt)}${_encode(key)}"


def verify_password(password: str, stored: str | None) -> bool:
    """True when the password has that hash; takes as long when there is none to compare with."""
    fields = (stored or _NOBODY).split("$")
    try:
        cost, blocks, lanes = (int(field) for field in fields[1:4])
        salt, key = (base64.b64decode(field, validate=True) for field in fields[4:])
    except (ValueError, binascii.Error):
        return False
    if fields[0] != "scrypt" or len(fields) != _FIELDS or not 0 < cost <= _DEAREST:
        return False
    return hmac.compare_digest(_derive(password, salt, (cost, blocks, lanes)), key) and stored is not None


def _derive(password: str, salt: bytes, way: tuple[int, int, int]) -> bytes:
    cost, blocks, lanes = way
    plain = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(plain, salt=salt, n=1 << cost, r=blocks, p=lanes, maxmem=_MEMORY, dklen=_BYTES)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


_NOBODY = f"scrypt${_COST}${_BLOCKS}${_LANES}${_encode(bytes(_SALT_BYTES))}${_encode(bytes(_BYTES))}"
