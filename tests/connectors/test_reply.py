"""What a refusal says of the message and of the address (RFC 3463; rule C12): only a mailbox that does not exist is kept out."""

import pytest

from connectors.channels.reply import DETAIL_LENGTH, is_tired, masked, refused


@pytest.mark.requirement("R90")
@pytest.mark.parametrize(
    ("step", "code", "reply", "kind", "bounce"),
    [
        ("RCPT", 550, "5.1.1 <a@b.c>: no such user", "rejected", "hard"),
        ("RCPT", 550, "5.1.2 unknown domain", "rejected", "hard"),
        ("RCPT", 556, "5.1.10 null MX", "rejected", "hard"),
        ("", 550, "5.1.1 user unknown", "rejected", "hard"),
        ("RCPT", 550, "5.2.1 mailbox disabled", "rejected", "hard"),
        ("RCPT", 550, "No such user here", "rejected", "hard"),
        ("MAIL", 550, "5.1.8 bad sender", "rejected", "policy"),
        ("MAIL", 550, "5.1.1 sender unknown", "rejected", "policy"),
        ("RCPT", 550, "5.1.8 sender's domain does not exist", "rejected", "policy"),
        ("RCPT", 552, "5.2.2 mailbox full", "rejected", "soft"),
        ("RCPT", 552, "mailbox full", "rejected", "soft"),
        ("RCPT", 450, "4.2.1 busy", "deferred", "soft"),
        ("RCPT", 451, "try later", "deferred", "soft"),
        ("RCPT", 450, "4.7.1 greylisted", "deferred", "policy"),
        ("RCPT", 450, "greylisted by policy", "deferred", None),
        ("", 550, "5.7.1 spam", "rejected", "policy"),
        ("RCPT", 550, "5.7.1 relaying denied", "rejected", "policy"),
        ("RCPT", 550, "relaying denied", "rejected", "policy"),
        ("RCPT", 550, "blocked, see http://list.example", "rejected", "policy"),
        ("", 554, "no", "rejected", "policy"),
        ("DATA", 552, "5.3.4 too big", "rejected", "policy"),
        ("MAIL", 500, "5.5.2 syntax", "rejected", "policy"),
        ("MAIL", 421, "4.3.2 closing", "deferred", None),
        ("MAIL", 451, "later", "deferred", None),
    ],
)
def test_whose_fault_a_refusal_is(step: str, code: int, reply: str, kind: str, bounce: str | None) -> None:
    outcome = refused(code, reply.encode(), step)
    assert (outcome.kind, outcome.code, outcome.bounce) == (kind, str(code), bounce)
    assert "a@b.c" not in (outcome.detail or "")


@pytest.mark.parametrize(
    ("code", "reply", "tired"),
    [
        (452, "4.5.3 Too many messages sent", True),
        (452, "too many recipients", True),
        (421, "4.7.0 limit of messages reached", True),
        (452, "4.3.1 disk full", False),
        (421, "4.3.2 closing", False),
        (550, "too many messages", False),
    ],
)
def test_when_a_connection_has_carried_enough(code: int, reply: str, tired: bool) -> None:
    assert is_tired(code, reply.encode()) is tired


def test_what_is_kept_of_a_reply_names_nobody_and_is_short() -> None:
    said = masked(b"<ming@example.com> said\r\nno to ming@b.c \xff" + b"x" * 10_000)
    assert "ming" not in said and "\n" not in said and len(said) == DETAIL_LENGTH
