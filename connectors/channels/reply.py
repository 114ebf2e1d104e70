"""What a mail server's reply means: for the message, and for the address (RFC 5321, RFC 3463).

What belongs here: reading codes. What does not: the dialogue (`smtp.py`), what follows for an address (the ledger suppresses it, rule C12).

`hard`: the mailbox does not exist, so the address is kept out. `soft`: it exists and cannot take the mail now or ever. `policy`: the server
objects to the sender, the content or the speed, which is not the recipient's fault.
"""

import re

from connectors.channels import Bounce, Outcome

DETAIL_LENGTH = 300
_ADDRESS = re.compile(r"[^\s<>@:]+@[^\s<>@]+")
_ENHANCED = re.compile(rb"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_OF_SENDER = re.compile(
    rb"spam|block|polic|denied|reputation|relay|spf|dkim|dmarc|black|listed|authenti|rate|sender", re.I
)
_TOO_MANY = re.compile(rb"4\.5\.3|too many|limit", re.I)

RECIPIENT, OTHER = "RCPT", ""
UNKNOWN_MAILBOX = frozenset({"5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.4", "5.1.6", "5.1.10", "5.2.1"})
"""Bad mailbox, bad domain, moved, null MX, disabled. 5.1.7 and 5.1.8 speak of the sender's address."""


def refused(code: int, reply: bytes, step: str = OTHER) -> Outcome:
    """The outcome of a reply of 400 and above: never accepted."""
    kind = "rejected" if code >= 500 else "deferred"
    return Outcome(kind, str(code), masked(reply), bounce_of(code, reply, step))  # type: ignore[arg-type]


def bounce_of(code: int, reply: bytes, step: str = OTHER) -> Bounce | None:
    """Whose fault a refusal is. Without an enhanced code only a refusal of the recipient that speaks of nothing else counts against it."""
    found = _ENHANCED.match(reply)
    if found:
        return _by_enhanced(b".".join(found.groups()).decode(), step)
    if step != RECIPIENT or _OF_SENDER.search(reply):
        return "policy" if code >= 500 else None
    if code < 500:
        return "soft"
    return "hard" if code in (550, 551, 553) else "soft" if code == 552 else "policy"


def is_tired(code: int, reply: bytes) -> bool:
    """Whether a server says that this connection has carried enough."""
    return code in (421, 452) and bool(_TOO_MANY.search(reply))


def masked(reply: bytes) -> str:
    """A server's words without the addresses that servers like to repeat, in one line."""
    return _ADDRESS.sub("**@**", " ".join(reply.decode("utf-8", "replace").split()))[:DETAIL_LENGTH]


def _by_enhanced(status: str, step: str) -> Bounce | None:
    if status in UNKNOWN_MAILBOX and step != "MAIL":
        return "hard"
    subject = status.split(".")[1]
    if status.startswith("4"):
        return "policy" if subject == "7" else None if step == "MAIL" else "soft"
    return "soft" if status in ("5.2.2", "5.2.0", "5.2.4") else "policy"
