"""Signs identity tokens with the key whose turn it is; the first one is made when it is needed.

A key is published before it signs, and stays published until all it signed is over. Its private half is
sealed in the database, so that all servers sign with the same one.
"""

import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from penstock.kit.clock import Clock
from penstock.model.errors import RefusedError
from penstock.model.identity import SigningKey
from penstock.store import signing_keys
from penstock.store.database import Database, Transaction
from penstock.store.sealing import Sealer

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

Claims = Mapping[str, Any]

BITS = 2048
_ALGORITHM = "RS256"

_log = logging.getLogger(__name__)


class Pen:
    """A key, opened. Safe to share among threads."""

    def __init__(self, kid: str, key: "RSAKey") -> None:
        self._header = {"alg": _ALGORITHM, "typ": "JWT", "kid": kid}
        self._key = key

    def sign(self, claims: Claims) -> str:
        """The token that claims this; takes 0.4 ms."""
        # Imported late, here and below: the library costs 60 ms.
        from joserfc import jwt

        return jwt.encode(self._header, dict(claims), self._key)


class Signer:
    """Finds the key to sign with, for all threads of a server."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._lock = threading.Lock()
        self._opened: dict[str, Pen | None] = {}  # by kid; None for one that does not open

    def take_pen(self) -> Pen:
        """The key whose turn it is, made when there is none."""
        with self._db.read() as tx:
            found = self.find_pen(tx)
        return found or self._make_first()

    def find_pen(self, tx: Transaction) -> Pen | None:
        """The key whose turn it is among those that open, or whose is next; None when none opens."""
        now = self._clock.now()
        known = signing_keys.list_keys(tx)
        due = [each for each in known if each.signs_at <= now]
        early = [each for each in known if each.signs_at > now]  # when the clock was set back
        for each in (*reversed(due), *early):
            pen = self._open(tx, each)
            if pen is not None:
                return pen
        return None

    def publish(self) -> list[SigningKey]:
        """The keys by whose signatures others may know tokens, at least one."""
        with self._db.read() as tx:
            known = signing_keys.list_keys(tx)
        if not known:
            self._make_first()
            return self.publish()
        return known

    def generate(self) -> "Pair":
        """A new key that is not kept anywhere yet; takes 60 ms of CPU."""
        return _generate(self._clock.now())

    def keep(self, tx: Transaction, pair: "Pair", *, signs_at: int) -> SigningKey:
        """The key is in the store, and signs from that instant on."""
        record = msgspec.structs.replace(pair.record, signs_at=signs_at)
        return signing_keys.add_key(tx, self._sealer, record, pair.private)

    def _open(self, tx: Transaction, key: SigningKey) -> Pen | None:
        with self._lock:
            if key.kid not in self._opened:
                self._opened[key.kid] = self._load(tx, key)
            return self._opened[key.kid]

    def _load(self, tx: Transaction, key: SigningKey) -> Pen | None:
        from joserfc.jwk import RSAKey

        try:
            return Pen(key.kid, RSAKey.import_key(signing_keys.open_key(tx, self._sealer, key)))
        except (RefusedError, ValueError) as error:
            _log.error("signing key %s cannot be used, so that another one signs: %s", key.kid, error)
            return None

    def _make_first(self) -> Pen:
        """The key that signs when none did; if a rival was quicker, theirs."""
        pair = self.generate()

        def work(tx: Transaction) -> None:
            signing_keys.lock_keys(tx)
            if self.find_pen(tx) is None:
                self.keep(tx, pair, signs_at=pair.record.created_at)
                _log.info("identity tokens are signed with a new key, %s", pair.record.kid)

        self._db.retry(work)
        with self._db.read() as tx:
            found = self.find_pen(tx)
        if found is None:
            raise LookupError("a key that was just made is missing")
        return found


class Pair(msgspec.Struct, frozen=True):
    """Both halves of a key; the private one does not show in logs and errors."""

    record: SigningKey
    private: bytes

    def __repr__(self) -> str:
        """Its name only."""
        return f"Pair({self.record.kid!r})"


def _generate(now: int) -> Pair:
    from joserfc.jwk import RSAKey

    key = RSAKey.generate_key(BITS)
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": _ALGORITHM}
    known = {name: str(value) for name, value in public.items()}
    record = SigningKey(id=0, kid=kid, public=known, created_at=now, signs_at=now)
    return Pair(record, key.as_pem(private=True))
