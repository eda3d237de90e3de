"""The request that the present thread or task works for, so that what is logged about it can be found."""

from contextvars import ContextVar

REQUEST: ContextVar[str] = ContextVar("REQUEST", default="")
"""Its id, "" for work that nobody asked for."""
