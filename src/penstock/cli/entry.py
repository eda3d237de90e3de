"""How a command is listed and explained."""

from collections.abc import Mapping
from enum import Enum

import msgspec


class Place(Enum):
    """Where a command does something; its value is the heading under which `--help` lists it."""

    HERE = "On this machine"
    SERVER = "On a server, from anywhere"
    SERVING = "To run a server"


class Entry(msgspec.Struct, frozen=True):
    """A command as it is listed and explained. Its file has its name, and so has what is in it."""

    summary: str
    details: str
    examples: Mapping[str, str]  # what an example does, by the call
    several: bool = False  # it has commands of its own
    place: Place = Place.SERVER

    @property
    def help(self) -> str:
        """The text above the options."""
        return f"{self.summary}\n\n{self.details}" if self.details else self.summary

    @property
    def epilogue(self) -> str:
        """The examples, one a line."""
        width = max(len(call) for call in self.examples)
        return "Examples:\n\n" + "\n".join(
            f"  {call:<{width}}  {what}" for call, what in self.examples.items()
        )
