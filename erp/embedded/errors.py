"""What can go wrong with the embedded servers, said in one line each."""


class EmbeddedError(RuntimeError):
    """An embedded server could not be set up, started or stopped."""


class ServerDidNotStart(EmbeddedError):
    """A server was started and did not become ready; the message ends with its own last words."""


class PlaceNotUsable(EmbeddedError):
    """A directory that the servers need belongs to somebody else or cannot be made."""
