"""Asking an unsubscribe address over the wire, as a mail program does: no cookies, no redirects followed, a short patience.

What belongs here: the requests. What does not: what their answers mean (`tasks/live_test.py`).
"""

from dataclasses import dataclass

import requests

SECONDS = 15
BODY = {"List-Unsubscribe": "One-Click"}


@dataclass(frozen=True)
class Answer:
    """What came back: a status, or none and the kind of failure. `sets_cookie` is what RFC 8058 does not expect."""

    status: int | None
    failure: str = ""
    sets_cookie: bool = False

    @property
    def is_success(self) -> bool:
        """2xx, and nothing else: a redirect is no answer to a mail program."""
        return self.status is not None and 200 <= self.status < 300


def fetch(url: str) -> Answer:
    """GET, as a scanner or a prefetching program does."""
    return _asked("GET", url)


def post(url: str) -> Answer:
    """POST of RFC 8058."""
    return _asked("POST", url)


def _asked(method: str, url: str) -> Answer:
    body = BODY if method == "POST" else None
    try:
        answer = requests.request(method, url, data=body, allow_redirects=False, timeout=SECONDS)
    except requests.RequestException as error:
        return Answer(None, type(error).__name__)  # its text would hold the token
    return Answer(answer.status_code, sets_cookie="set-cookie" in answer.headers)
