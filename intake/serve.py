"""The web app as a process: `python -m intake.serve WORKSPACE`. Behind a proxy that ends TLS; bounded against slow and many connections.

What belongs here: uvicorn's settings, each with its reason. What does not: routes (`app.py`).
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from intake.app import app_of
from warehouse.house import House
from warehouse.secret import token_keys

HEAD_SECONDS = 10.0
HEAD_BYTES = 16 * 1024
CONNECTIONS = 500


class Bounded(H11Protocol):
    """Ends a connection on which no answer is being made for so many seconds; uvicorn itself waits for ever while a few bytes trickle in."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Look at the connection now and then until it is gone."""
        super().connection_made(transport)
        self._seen: object = self
        self._watch()

    def _watch(self) -> None:
        if self.transport.is_closing():
            return
        is_waiting = self.cycle is None or self.cycle.response_complete
        if is_waiting and self._seen is self.cycle:
            self.transport.close()
            return
        self._seen = self.cycle if is_waiting else self
        self.loop.call_later(HEAD_SECONDS / 2, self._watch)


def config_of(house: House) -> uvicorn.Config:
    """How the app of an open workspace is served."""
    intake = house.workspace.intake
    return uvicorn.Config(
        app_of(house, token_keys(house.workspace.store)),
        host=intake.host,
        port=intake.port,
        http=Bounded,
        ws="none",
        lifespan="off",
        access_log=False,  # a line would hold the token, and with it anybody who reads logs could unsubscribe somebody
        log_level="warning",
        server_header=False,
        h11_max_incomplete_event_size=HEAD_BYTES,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=10,
    )


def main(root: Path) -> None:
    """Serve until told to stop."""
    house = House.open(root)
    try:
        uvicorn.Server(config_of(house)).run()
    finally:
        house.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
