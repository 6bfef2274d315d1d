"""What can be wrong with a request that is well formed."""


class NotFoundError(Exception):
    """There is no such thing; carries the sentence for the client."""


class UnknownTokenError(Exception):
    """Nobody is known by this token."""
