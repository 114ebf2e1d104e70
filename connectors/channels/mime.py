"""A letter as bytes: RFC 5322 headers and two base64 parts, put together by hand.

What belongs here: bytes. What does not: sending. `EmailMessage` does the same in fifty times the CPU and ends lines with a bare LF unless told
otherwise; here every line ends with CRLF and stays under 78 characters, and the same letter always gives the same bytes.
"""

import base64
import datetime as dt
import re
from email.charset import BASE64, Charset
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache

from connectors.channels import Letter

CRLF = b"\r\n"
_BREAKS = re.compile(r"[\x00-\x1f\x7f]")


def composed(letter: Letter, sender: str, sender_name: str) -> bytes:
    """The whole mail. ValueError when a header value holds a line break or a control character."""
    boundary = f"=_{letter.message_id}"
    domain = sender.rpartition("@")[2]
    headers = [
        ("From", f"{_words('From', sender_name)} <{_plain(sender)}>"),
        ("To", _plain(letter.address)),
        ("Subject", _words("Subject", letter.subject)),
        ("Date", format_datetime(letter.sent_at.replace(tzinfo=dt.UTC))),
        ("Message-ID", f"<{_plain(letter.message_id)}@{_plain(domain)}>"),
        *_leaving(_plain(letter.unsubscribe_url)),
        ("MIME-Version", "1.0"),
        ("Content-Type", f'multipart/alternative; boundary="{boundary}"'),
    ]
    lines = [f"{name}: {value}".encode("ascii") for name, value in headers]
    for kind, content in (("plain", letter.text), ("html", letter.html)):
        lines += [b"", b"--" + boundary.encode()] if kind == "plain" else [b"--" + boundary.encode()]
        lines += [f"Content-Type: text/{kind}; charset=utf-8".encode(), b"Content-Transfer-Encoding: base64", b""]
        lines.append(base64.encodebytes(content.encode()).rstrip(b"\n").replace(b"\n", CRLF))
    return CRLF.join([*lines, b"--" + boundary.encode() + b"--", b""])


def _leaving(url: str) -> list[tuple[str, str]]:
    """Headers by which a mail programme unsubscribes; one click only where an address answers a POST (RFC 8058)."""
    if not url:
        return []
    one_click = [("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")] if url.startswith("https:") else []
    return [("List-Unsubscribe", f"<{url}>"), *one_click]


def _plain(value: str) -> str:
    if _BREAKS.search(value) or not value.isascii():
        raise ValueError("a header value holds a line break, a control character or a letter outside ASCII")
    return value


@lru_cache(maxsize=1024)
def _words(name: str, value: str) -> str:
    """RFC 2047 words, folded with CRLF."""
    if _BREAKS.search(value):
        raise ValueError("a header value holds a line break or a control character")
    plain = value.isascii() and not re.search(r'[",<>@()\\:;]', value)
    return Header(value, "us-ascii" if plain else _utf8(), header_name=name).encode(linesep="\r\n")


def _utf8() -> Charset:
    """UTF-8 in base64. Other libraries change Python's own notion of it for the whole process (apprise does), and with it our bytes."""
    charset = Charset("utf-8")
    charset.header_encoding = BASE64
    return charset
