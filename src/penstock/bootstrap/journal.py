"""How the log of a server looks: one line a message, as logfmt or JSON."""

import logging
import re
import sys
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from penstock.bootstrap.settings import Format, Level
from penstock.kit.trace import REQUEST

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@%+*,{}\[\]-]+").fullmatch


class LineFormatter(logging.Formatter):
    """Makes a line of a message and its facts (`extra={"facts": {…}}`)."""

    def __init__(self, style: Format) -> None:
        super().__init__()
        self._show = show_logfmt if style == "logfmt" else show_json

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        facts: dict[str, object] = {
            "ts": show_time(record.created),
            "level": record.levelname.lower(),
            "msg": record.getMessage(),
        }
        facts |= getattr(record, "facts", {})
        if "request" not in facts and (request := REQUEST.get()):
            facts["request"] = request
        if record.exc_info:
            facts["error"] = self.formatException(record.exc_info)
        return self._show(facts)


def show_time(seconds: float) -> str:
    """The instant as RFC 3339 with milliseconds."""
    whole = int(seconds)
    return f"{_show_second(whole)}.{int((seconds - whole) * 1000):03}Z"


@lru_cache(8)
def _show_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S")


def show_logfmt(facts: dict[str, object]) -> str:
    """`name=value` pairs; a value that is no plain word is quoted as in JSON."""
    return " ".join([f"{name}={_quote(value)}" for name, value in facts.items()])


def show_json(facts: dict[str, object]) -> str:
    """One JSON object."""
    return msgspec.json.encode(facts).decode()


def set_up_logging(level: Level, style: Format) -> None:
    """Everything that is logged from here on goes to standard error, in that style."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter(style))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("penstock").setLevel(level.upper())
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what matters of it we say ourselves
    logging.raiseExceptions = False  # a log that cannot be written must not fill another one
    _leave_out_origins()


def _leave_out_origins() -> None:
    """No message looks for the line, thread and process it comes from, which costs more than writing it.

    Python's logging HOWTO names these switches, under Optimization.
    """
    logging._srcfile = None  # noqa: SLF001 - the documented switch
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False


def _quote(value: object) -> str:
    text = value if type(value) is str else str(value)
    return text if _PLAIN(text) else msgspec.json.encode(text).decode()
