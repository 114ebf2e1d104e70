"""Clicks and opens: a link of a letter leads where the ledger says, and both become rows of the inbox (R51, R84).

What belongs here: /c/{token} and /o/{token}.gif. What does not: which clicks a machine made (`vesper/machine.py`), finding links in letters.

A click is committed before the redirect; when the ledger does not take it, the person is led on all the same, for they came to read and not to be
counted. Where a link leads stands in the ledger alone: nothing of the request has a part in it, so there is no open redirect. A token names one
message and one link; brought again and again it is one row for every ten seconds.
"""

import base64

import anyio.to_thread
import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from intake.desk import LOG, Desk, agent_of
from intake.gather import TooMany
from intake.page import HEADERS
from vesper.clock import now
from vesper.content_link import TRAP
from vesper.machine import CLICKED, OPENED, told_by_request
from vesper.token import link_of, verify
from warehouse.ledger.inbox import Arrival
from warehouse.ledger.unsubscribe import TEST

CLICKS, OPENS = "vesper_click", "vesper_open"
"""Sources of the rows."""
SECONDS = 10
"""What comes again within so many seconds is the same click."""
PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
LEADING = {name: value for name, value in HEADERS.items() if name != "Content-Security-Policy"}


class Clicks:
    """GET and HEAD of /c/{token}: 302 to where the link leads; 404 for a token or a link that is none of ours."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def __call__(self, request: Request) -> Response:
        told = verify(self.desk.keys, "click", request.path_params["token"])
        message_id, link_id = link_of(told) if told else ("", "")
        if not message_id:
            return self.desk.page(request, "unknown", 404)
        try:
            url = "" if link_id == TRAP else await self._leads_to(link_id)
        except sa.exc.DBAPIError as error:
            return self.desk.later(request, "a click", error)
        if url is None:
            return self.desk.page(request, "unknown", 404)
        await self._keep(request, message_id, link_id, url)
        return RedirectResponse(url, 302, LEADING) if url else self.desk.page(request, "unknown", 404)

    async def _leads_to(self, link_id: str) -> str | None:
        known = self.desk.known.remembered(link_id)
        return known or await anyio.to_thread.run_sync(self.desk.known.url_of, link_id)

    async def _keep(self, request: Request, message_id: str, link_id: str, url: str) -> None:
        if message_id.startswith(TEST):
            return
        try:
            await self.desk.gatherer.keep(_arrival(request, CLICKED, message_id, link_id, url))
        except (sa.exc.DBAPIError, TooMany) as error:
            LOG.error("a click could not be kept: %s", type(error).__name__)


class Opens:
    """GET and HEAD of /o/{token}.gif: a picture of one dot. Kept soon after the answer: an open may be lost, and nothing is decided by one."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def __call__(self, request: Request) -> Response:
        message_id = verify(self.desk.keys, "open", request.path_params["token"])
        if message_id is None:
            return self.desk.page(request, "unknown", 404)
        if not message_id.startswith(TEST):
            self.desk.gatherer.note(_arrival(request, OPENED, message_id, "", ""))
        return Response(PICTURE, 200, HEADERS, media_type="image/gif")


def _arrival(request: Request, kind: str, message_id: str, link_id: str, url: str) -> Arrival:
    agent, at = agent_of(request), now()
    machine = told_by_request(kind, request.method, agent, is_trap=link_id == TRAP)
    said = {"url": url, "agent": agent} | ({"is_machine": True, "machine": machine} if machine else {})
    again = int(at.timestamp()) // SECONDS
    id = f"{message_id}|{link_id}|{machine or 'person'}|{again}"
    return Arrival(OPENS if kind == OPENED else CLICKS, id, kind, at, said, None, message_id)
