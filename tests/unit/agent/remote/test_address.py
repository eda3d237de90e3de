import pytest

from penstock.agent.remote.address import load_trust, read_address
from penstock.model.errors import InvalidError


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "path"),
    [
        ("https://ci.example.com", "ci.example.com", 443, True, ""),
        ("http://ci.example.com:8080/", "ci.example.com", 8080, False, ""),
        ("https://example.com/ci/", "example.com", 443, True, "/ci"),
        ("http://[::1]:80", "::1", 80, False, ""),
    ],
)
def test_an_address_is_read(url: str, host: str, port: int, tls: bool, path: str) -> None:  # noqa: FBT001 - an expectation
    address = read_address(url)
    assert (address.host, address.port, address.tls, address.path) == (host, port, tls, path)
    assert read_address(address.url) == address


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ci.example.com",
        "ftp://x",
        "https://",
        "http://x:99999",
        "http://x:y",
        "http://x?a=b",
        "http://a b",
        "http://[x",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidError, match="--server"):
        read_address(url)


def test_the_environment_s_proxy_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:se%40cret@proxy.example.com:8888")
    monkeypatch.setenv("NO_PROXY", "inside.example.com,localhost")
    proxy = read_address("https://ci.example.com").proxy
    assert proxy is not None
    assert (proxy.host, proxy.port) == ("proxy.example.com", 8888)
    assert proxy.authorization == "Basic bWU6c2VAY3JldA=="
    assert "bWU6" not in repr(proxy)
    assert read_address("http://ci.example.com").proxy is None
    assert read_address("https://inside.example.com").proxy is None
    assert read_address("https://localhost:8443").proxy is None


@pytest.mark.parametrize("url", ["socks5://proxy:1", "https://proxy", "http://"])
def test_a_proxy_that_cannot_be_used_is_refused_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url.replace("//", "//me:hidden@"))
    with pytest.raises(InvalidError, match="HTTPS_PROXY") as caught:
        read_address("https://ci.example.com")
    assert "hidden" not in str(caught.value)


def test_authorities_that_cannot_be_read_are_refused(tmp_path: object) -> None:
    with pytest.raises(InvalidError, match="cannot be used"):
        load_trust(f"{tmp_path}/none.pem")
