"""Counts requests, and shows the server's figures to Prometheus."""

from collections.abc import Callable, Iterable
from functools import lru_cache

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily

from penstock import __version__

MEDIA = "text/plain; version=0.0.4; charset=utf-8"

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Seconds."""


class Meter:
    """The figures of one server. All calls may be made from several threads at once."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody reads
        self._registry = registry = CollectorRegistry(auto_describe=False)
        labels = ("method", "route", "status")
        self._requests = Counter("penstock_requests", "Requests answered.", labels, registry=registry)
        self._seconds = Histogram(
            "penstock_request_seconds",
            "Seconds from the first look at a request to the end of its answer, long polls left out.",
            ("route",),
            buckets=BUCKETS,
            registry=registry,
        )
        self.open_requests = 0  # to be changed by the loop alone
        being = Gauge("penstock_requests_open", "Requests being answered.", registry=registry)
        being.set_function(lambda: self.open_requests)
        self.loop_lag = Gauge(
            "penstock_loop_lag_seconds", "How late the loop was with what was due last.", registry=registry
        )
        Gauge("penstock_info", "The version.", ("version",), registry=registry).labels(__version__).set(1)
        self._requests_of = lru_cache(4096)(self._requests.labels)
        self._seconds_of = lru_cache(1024)(self._seconds.labels)

    def count(self, method: str, route: str, status: int, seconds: float | None) -> None:
        """One request was answered; `route` is its template, so that there are few of them."""
        self._requests_of(method, route, status).inc()
        if seconds is not None:
            self._seconds_of(route).observe(seconds)

    def watch(self, read: Callable[[], Iterable[tuple[str, str, float]]]) -> None:
        """With every showing `read` is asked for gauges: name, what it is, value."""
        self._registry.register(_Asked(read))

    def show(self) -> bytes:
        """All figures as text in the format `MEDIA`."""
        return generate_latest(self._registry)


class _Asked:
    """Gauges that are read when somebody looks."""

    def __init__(self, read: Callable[[], Iterable[tuple[str, str, float]]]) -> None:
        self._read = read

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """One family for each figure."""
        for name, what, value in self._read():
            yield GaugeMetricFamily(name, what, value=value)
