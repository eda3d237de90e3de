"""How much of what nobody has vouched for yet may lie in memory at once."""

from penstock.api.common.faults import BusyError


class Room:
    """Bytes that may be held, shared by all requests of one kind; used by the loop's thread alone."""

    def __init__(self, size: int) -> None:
        self.free = size

    def take(self, size: int) -> None:
        """So many bytes more are held. Raises BusyError when there is no room for them."""
        if size > self.free:
            raise BusyError("the server has too much to do at present")
        self.free -= size

    def give(self, size: int) -> None:
        """So many bytes are held no longer."""
        self.free += size
