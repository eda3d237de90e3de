"""The request that the present thread or task works for, so that what is logged about it can be found."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="")
"""Its id, "" for work that nobody asked for."""


@contextmanager
def work_for(request: str) -> Iterator[None]:
    """Inside, this thread or task works for the request of that id."""
    token = REQUEST.set(request)
    try:
        yield
    finally:
        REQUEST.reset(token)
