"""Instants as CircleCI writes them (RFC 3339, UTC)."""

from penstock.kit.clock import to_datetime


def show_millis(instant: int) -> str:
    """With milliseconds, as of pipelines."""
    return to_datetime(instant).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def show_seconds(instant: int) -> str:
    """With whole seconds, as of workflows and jobs."""
    return to_datetime(instant).isoformat(timespec="seconds").replace("+00:00", "Z")


def show_maybe(instant: int | None) -> str | None:
    """With whole seconds, None for what has not happened."""
    return None if instant is None else show_seconds(instant)
