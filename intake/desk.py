"""What every endpoint works with: the workspace, the keys, the one who commits, and what is known.

What belongs here: these, and the answers that all of them give. What does not: an endpoint.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from functools import cached_property

from anyio import CapacityLimiter
from starlette.requests import Request
from starlette.responses import Response

from intake.gather import Gatherer
from intake.known import Known
from intake.page import Shown, language_of, page
from vesper.token import TokenKeys
from warehouse.house import House

LOG = logging.getLogger("vesper.intake")
DAY = dt.timedelta(days=1)
AGENT_LENGTH = 200


@dataclass
class Desk:
    """One workspace behind its web app. Writers go one after the other: the ledger takes one at a time, and a queue beats a scramble."""

    house: House
    keys: TokenKeys
    writers: CapacityLimiter

    @cached_property
    def known(self) -> Known:
        """Definitions and links."""
        return Known(self.house)

    @cached_property
    def gatherer(self) -> Gatherer:
        """Who commits arrivals."""
        return Gatherer(self.house.engine, self.writers, self.known.series_of)

    @property
    def recorded_on(self) -> dt.date:
        """The newest business date whose night is cut off already, so that the next night sees what is stated now."""
        return self.house.binds_on() - DAY

    def language(self, request: Request) -> str:
        """The language that a request asks for."""
        return language_of(request.headers.get("accept-language", ""), self.house.workspace.company.language)

    def page(self, request: Request, shown: Shown, status: int = 200) -> Response:
        """One of the plain pages."""
        return page(shown, self.house.workspace.company.name, self.language(request), status)

    def later(self, request: Request, what: str, error: Exception) -> Response:
        """The ledger did not answer: 503, so that the sender asks again. `what` names no person."""
        LOG.error("%s could not be kept: %s", what, type(error).__name__)
        answer = self.page(request, "later", 503)
        answer.headers["Retry-After"] = "60"
        return answer


def agent_of(request: Request) -> str:
    """The program that asks, as it calls itself: cut, and without what a log or a database would stumble over."""
    agent = request.headers.get("user-agent", "")[:AGENT_LENGTH]
    return "".join(letter for letter in agent if letter.isprintable())


def closing(answer: Response) -> Response:
    """The connection ends here: what is left of a refused body is not waited for."""
    answer.headers["Connection"] = "close"
    return answer
