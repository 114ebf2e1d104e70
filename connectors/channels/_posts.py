"""The channel webhook of a workspace: each message is one signed post (R84).

What belongs here: from `[webhook]` of vesper.toml to a channel. What does not: the post itself and what answers mean (`webhook.py`).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from connectors.channels import Channel, Letter, Outcome
from connectors.channels._environment import filled
from connectors.channels.webhook import Door, post, posting
from vesper.model.workspace import Workspace

WHERE = "vesper.toml [webhook]"
LARGEST = 2**20
"""Bytes of a post."""


class Posts:
    """A channel (see `connectors.channels.Channel`)."""

    def __init__(self, door: Door, secret: str, deduplicates: bool) -> None:
        self.door, self.secret, self.deduplicates = door, secret, deduplicates

    @property
    def provider(self) -> str:
        """Whose limits bind: the host; the rest of an address may hold a key."""
        return f"webhook {self.door.host}"

    def ready(self) -> None:
        """Connect; raises ChannelUnreachable."""
        self.door.ready(WHERE)

    def send(self, letter: Letter) -> Outcome:
        """One post under the message's id as its Idempotency-Key."""
        return post(self.door, body_of(letter), letter.message_id, self.secret, self.deduplicates, LARGEST)


def body_of(letter: Letter) -> Mapping[str, Any]:
    """What the receiver gets: the message, to whom, what it says, and the payload of its content."""
    return {
        "event": "message",
        "message_id": letter.message_id,
        "campaign_id": letter.campaign_id,
        "to": letter.address,
        "subject": letter.subject,
        "text": letter.text,
        "unsubscribe_url": letter.unsubscribe_url,
        "sent_at": letter.sent_at.isoformat(timespec="seconds") + "Z",
        "payload": letter.payload or {},
    }


@contextmanager
def posts_opened(workspace: Workspace, folder: str) -> Iterator[Channel]:
    """One connection. Raises ChannelUnreachable."""
    hook = workspace.webhook
    secret = filled(hook.secret, WHERE) if hook.url != "loopback" else "loopback"
    with posting(workspace, hook.url, folder, WHERE, within="") as door:
        yield Posts(door, secret, hook.deduplicates)
