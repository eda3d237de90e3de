"""Where a server is, and the way there: directly or through a proxy, in the open or over TLS."""

import base64
import ssl
import urllib.request
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from penstock.model.errors import InvalidError

_PORTS = {"http": 80, "https": 443}


class Proxy(msgspec.Struct, frozen=True, kw_only=True):
    """A proxy, and the header with which it lets us through, "" for none."""

    host: str
    port: int
    authorization: str = ""

    def __repr__(self) -> str:
        """Without what is secret."""
        return f"Proxy(host={self.host!r}, port={self.port!r})"


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A server's address; `path` comes before all paths, "" or `/like/this`."""

    host: str
    port: int
    tls: bool
    path: str = ""
    proxy: Proxy | None = None

    @property
    def url(self) -> str:
        """For people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{self.path}"


def read_address(url: str) -> Address:
    """The server that the URL names, and the proxy that the environment names for it, if any.

    HTTPS_PROXY, HTTP_PROXY and NO_PROXY count as they do for curl. Raises InvalidError.
    """
    parts = _split(url, "--server")
    host = str(parts.hostname)
    tls = parts.scheme == "https"
    return Address(
        host=host,
        port=parts.port or _PORTS[parts.scheme],
        tls=tls,
        path=parts.path.rstrip("/"),
        proxy=_find_proxy(host, parts.scheme),
    )


def load_trust(authorities: str = "") -> ssl.SSLContext:
    """What certificates of servers must be signed by: the system's authorities, or only those of the file.

    Raises InvalidError when the file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=authorities or None)
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or str(error)
        raise InvalidError(f"the certificates in {authorities} cannot be used: {reason}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _find_proxy(host: str, scheme: str) -> Proxy | None:
    url = urllib.request.getproxies_environment().get(scheme)
    if not url or urllib.request.proxy_bypass(host):
        return None
    parts = _split(url if "://" in url else f"http://{url}", f"{scheme.upper()}_PROXY")
    if parts.scheme != "http":
        raise InvalidError(f"{scheme.upper()}_PROXY: only proxies with an address of http:// are known here")
    authorization = ""
    if parts.username:
        word = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = f"Basic {base64.b64encode(word.encode()).decode()}"
    return Proxy(host=str(parts.hostname), port=parts.port or 3128, authorization=authorization)


def _split(url: str, name: str) -> SplitResult:
    """The parts of the URL. Raises InvalidError, which does not repeat it: it may hold a password."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and bool(parts.hostname) and not (parts.query or parts.fragment)
        _ = parts.port
    except ValueError as error:
        raise InvalidError(f"{name}: not a URL: {error}") from error
    if not usable or any(ord(letter) <= ord(" ") for letter in url):
        raise InvalidError(f"{name} wants a URL like https://ci.example.com")
    return parts
