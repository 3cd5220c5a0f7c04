"""Web hooks: signed as standardwebhooks.com says, sent through the guarded client, tried again by the queue engine.

A message says that a job is finished, and the counts; never a name, a hash or a link to content.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from service.jobs.models import DeliveryState, WebhookDelivery
from service.state import State
from tanba.errors import NetworkRefused, ResolverError, StorageError, TanbaError
from tanba.net import GuardedClient, NetworkPolicy
from tanba.net.guard import check_url

POLICY = NetworkPolicy(schemes=frozenset({"https"}), total_seconds=10.0, max_bytes=64 << 10)
"""Web hooks go to public https addresses; an operator may name exceptions."""

_WHERE = (
    "a web hook has an https address on a public host; the operator can name exceptions in TANBA_JOBS__WEBHOOK_ALLOW"
)
TRIES = 8
"""Attempts over about a day, see :mod:`service.jobs.runtime`."""


@dataclass(frozen=True, slots=True)
class WebhookKeys:
    """One secret of the service, from which every client's signing secret is derived; none is stored."""

    master: bytes

    @classmethod
    def load_or_create(cls, path: Path) -> WebhookKeys:
        """The secret in ``path`` (mode 0600), made on first use. Raises :class:`StorageError`."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            temporary = path.with_suffix(f".{secrets.token_hex(6)}")
            temporary.touch(mode=0o600, exist_ok=False)
            try:
                temporary.write_text(secrets.token_hex(32), "ascii")
                path.hardlink_to(temporary)
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
            return cls(bytes.fromhex(path.read_text("ascii").strip()))
        except (OSError, ValueError) as error:
            raise StorageError("the web hooks' secret cannot be read or made") from error

    def secret(self, client_id: str) -> str:
        """The client's secret as Standard Webhooks writes it (``whsec_…``, 32 bytes in Base64)."""
        derived = hmac.digest(self.master, f"tanba.webhook/1\n{client_id}".encode(), hashlib.sha256)
        return "whsec_" + base64.b64encode(derived).decode()


def check_target(url: str, policy: NetworkPolicy = POLICY) -> str:
    """A web hook's address, refused early when it never could be reached. Raises :class:`NetworkRefused`."""
    try:
        return check_url(url, policy).url
    except NetworkRefused as error:
        raise NetworkRefused(error.message, code=error.code, hint=_WHERE) from error


@dataclass(frozen=True, slots=True)
class Delivery:
    """The handler of messages."""

    state: State
    keys: WebhookKeys
    client: GuardedClient

    async def run(self, key: str, last: bool) -> None:
        """Deliver one message. Raises to be called again, unless ``last``; a refused address is not tried again."""
        await run_in_threadpool(self._deliver, key, last)

    def _deliver(self, key: str, last: bool) -> None:
        with self.state.db.read() as session:
            row = session.get(WebhookDelivery, key)
        if row is None or row.state != DeliveryState.PENDING:
            return
        last = last or row.attempts + 1 >= TRIES
        try:
            self._send(row)
        except TanbaError as error:
            final = last or (isinstance(error, NetworkRefused) and error.code != "tanba.network.timeout")
            self._note(key, DeliveryState.FAILED if final else DeliveryState.PENDING, error.code)
            if not final:
                raise
        else:
            self._note(key, DeliveryState.DELIVERED, None)

    def _send(self, row: WebhookDelivery) -> None:
        from standardwebhooks.webhooks import Webhook

        now = self.state.clock()
        signature = Webhook(self.keys.secret(row.client_id)).sign(row.id, now, row.body)
        headers = {
            "content-type": "application/json",
            "webhook-id": row.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": signature,
            "user-agent": "tanba-webhooks",
        }
        answer = self.client.post(row.url, row.body.encode(), headers=headers)
        if not 200 <= answer.status < 300:
            raise ResolverError(f"the receiver answered {answer.status}", code="tanba.network.status")

    def _note(self, key: str, state: DeliveryState, error: str | None) -> None:
        with self.state.db.write() as session:
            row = session.get(WebhookDelivery, key, with_for_update=True)
            if row is not None and row.state == DeliveryState.PENDING:
                row.state, row.last_error = state, error
                row.attempts, row.updated_at = row.attempts + 1, self.state.clock()


def client(allow: tuple[str, ...] = ()) -> GuardedClient:
    """The client for web hooks; ``allow`` names the operator's exceptions (``host:port``)."""
    return GuardedClient(POLICY.allowing(*allow))
