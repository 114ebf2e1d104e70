"""A letter as bytes: RFC 5322 headers and two base64 parts, put together by hand.

What belongs here: bytes. What does not: sending. `EmailMessage` does the same in fifty times the CPU and ends lines with a bare LF unless told
otherwise; here every line ends with CRLF and stays under 998 characters, and the same letter always gives the same bytes.
"""

import binascii
import datetime as dt
import re
import struct
from email.utils import format_datetime
from functools import lru_cache

from connectors.channels import Letter
from connectors.channels.header import Unsendable, kept_words, mailbox, plain, words
from vesper.model.workspace import Mail

CRLF = b"\r\n"
BASE64_LINE = 76
LARGEST = 20 * 2**20
"""Bytes of a mail; most servers take less."""
_IN_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")
_NOT_IN_LIST = re.compile(r"[^a-z0-9]+")
_ONE_CLICK = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/]")


class Letterhead:
    """What all mails of a sender share, made once: the headers about the sender, and where bounces go."""

    def __init__(self, sender: str, sender_name: str, reply_to: str = "", bounce: str = "") -> None:
        self.sender = mailbox(sender)
        self.domain = self.sender.rpartition("@")[2]
        self.bounce = bounce if bounce in ("", "verp") else mailbox(bounce)
        self._from = f"From: {kept_words('From', sender_name)} <{self.sender}>\r\n"
        self._reply = f"Reply-To: {mailbox(reply_to)}\r\n" if reply_to else ""

    @classmethod
    def of(cls, mail: Mail) -> "Letterhead":
        """The letterhead that `[mail]` of vesper.toml asks for."""
        return cls(mail.sender, mail.sender_name, mail.reply_to, mail.bounce)

    def envelope_sender(self, message_id: str) -> str:
        """Who hears of a mail that comes back. With `verp` the address itself names the message, whatever the bounce says."""
        if self.bounce == "verp":
            return f"b+{_id(message_id)}@{self.domain}"
        return self.bounce or self.sender

    def composed(self, letter: Letter) -> bytes:
        """The whole mail. Raises Unsendable when something of it cannot stand in a mail."""
        if len(letter.text) + len(letter.html) > LARGEST:
            raise Unsendable("the mail is too large")
        id = _id(letter.message_id)
        head = (
            f"{self._from}To: {mailbox(letter.address)}\r\nSubject: {words('Subject', letter.subject)}\r\n"
            f"Date: {_date(letter.sent_at.replace(microsecond=0))}\r\nMessage-ID: <{id}@{self.domain}>\r\n{self._reply}"
            f"{_leaving(letter)}{_list(letter.series, letter.campaign_id, self.domain)}"
            f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="=_{id}"\r\n\r\n'
        )
        edge = f"--=_{id}".encode()
        return b"".join(
            (
                head.encode("ascii"),
                edge,
                _PLAIN,
                _base64(letter.text),
                edge,
                _HTML,
                _base64(letter.html),
                edge,
                b"--\r\n",
            )
        )


def composed(letter: Letter, sender: str, sender_name: str) -> bytes:
    """The whole mail of a sender without further settings."""
    return Letterhead(sender, sender_name).composed(letter)


_PLAIN = b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
_HTML = _PLAIN.replace(b"plain", b"html")


def _id(message_id: str) -> str:
    if not _IN_ID.fullmatch(message_id):
        raise Unsendable("the message id holds more than letters, digits, dots, underscores and dashes")
    return message_id


def _base64(text: str) -> bytes:
    """Lines of 76 characters, each ended with CRLF. None begins with a dot, so nothing has to be stuffed on the wire (RFC 5321 4.5.2)."""
    data = binascii.b2a_base64(text.encode(errors="replace"), newline=False)
    whole, rest = divmod(len(data), BASE64_LINE)
    lines = struct.unpack(f"{BASE64_LINE}s" * whole + f"{rest}s" * bool(rest), data)
    return CRLF.join((*lines, b""))


@lru_cache(maxsize=8)
def _date(at: dt.datetime) -> str:
    """An instant of whole seconds as a header says it."""
    return format_datetime(at.replace(tzinfo=dt.UTC))


def _leaving(letter: Letter) -> str:
    """Headers by which a mail programme unsubscribes; one click only where an address answers a POST (RFC 8058)."""
    ways = [way for way in (letter.unsubscribe_url, letter.unsubscribe_mailto) if way]
    if not ways:
        return ""
    if any(set(way) & set("<>, ") for way in ways):
        raise Unsendable("an address to unsubscribe holds a character that ends it")
    said = ",\r\n ".join(f"<{plain(way)}>" for way in ways)
    one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" if _ONE_CLICK.match(ways[0]) else ""
    return f"List-Unsubscribe: {said}\r\n{one_click}"


@lru_cache(maxsize=1024)
def _list(series: str, campaign_id: str, domain: str) -> str:
    """The series as a mailing list (RFC 2919), and who sent what for the mailbox providers' reports of complaints (Feedback-ID)."""
    if not series:
        return ""
    name = (
        _NOT_IN_LIST.sub("-", series.lower()).strip("-")[:60]
        or f"s{binascii.crc32(series.encode(errors='replace')):08x}"
    )
    campaign = _NOT_IN_LIST.sub("-", campaign_id.lower()).strip("-")[:60] or "none"
    sender = _NOT_IN_LIST.sub("-", domain.lower())[:15]
    return f"List-Id: {kept_words('List-Id', series)}\r\n <{name}.{domain}>\r\nFeedback-ID: {campaign}:{name}:mail:{sender}\r\n"
