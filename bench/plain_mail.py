"""The loop that one writes first: a Jinja template, `EmailMessage`, smtplib, one connection. No ledger, no consent, no caps, nothing to come back to.

What belongs here: that loop, for `bench.send_rate` to stand beside. What does not: any of Vesper.
"""

import smtplib
from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from jinja2 import Environment

from bench.send_company import HTML, STYLE, SUBJECT, TEXT


def send_plainly(port: int, people: Iterable[dict[str, Any]]) -> int:
    """Write to everybody; returns how many."""
    escaping = Environment(autoescape=True)
    subject, text = (Environment().from_string(template) for template in (SUBJECT, TEXT))
    html = escaping.from_string(HTML.replace("<body>", f"<head><style>{STYLE}</style></head><body>"))
    count = 0
    with smtplib.SMTP("127.0.0.1", port) as server:
        for person in people:
            words = person | {
                "company": "好邻居超市",
                "address": "",
                "unsubscribe_url": f"http://127.0.0.1:8025/u/{person['id']}",
            }
            mail = EmailMessage(policy=SMTP)
            mail["From"] = "好邻居超市 <vesper@shop.example>"
            mail["To"] = person["email"]
            mail["Subject"] = subject.render(words)
            mail["Message-ID"] = f"<{person['id']}@shop.example>"
            mail["List-Unsubscribe"] = f"<{words['unsubscribe_url']}>"
            mail.set_content(text.render(words))
            mail.add_alternative(html.render(words), subtype="html")
            server.send_message(mail)
            count += 1
    return count
