"""The one guarded door to the network (ADR 0006).

Every request that Tanba makes itself goes through :func:`guarded_client`. Nothing here may be used unless the user or
the operator asked for a network; nothing outside this package may open a socket.
"""

from tanba.net.client import GuardedClient, Response, guarded_client
from tanba.net.guard import is_public
from tanba.net.policy import PUBLIC, NetworkPolicy

__all__ = ["PUBLIC", "GuardedClient", "NetworkPolicy", "Response", "guarded_client", "is_public"]
