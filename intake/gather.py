"""Many arrivals, few commits: what comes in within a few milliseconds is committed together, and nobody is answered before it is.

What belongs here: gathering. What does not: what is kept (`warehouse/ledger/inbox.py`), and what is answered. A commit that reaches the disk costs
the same for one row as for five hundred; so a burst of clicks costs the ledger a few commits a second, and each click a few milliseconds.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

import anyio.to_thread
import sqlalchemy as sa
from anyio import CapacityLimiter

from warehouse.ledger.inbox import Arrival, keep_answers

LOG = logging.getLogger("vesper.intake")
SECONDS = 0.004
MOST = 500
WAITING = 20_000
"""So many arrivals may wait; more are refused, so that a flood does not fill the memory."""


class TooMany(Exception):
    """More came in than the ledger takes."""


class Gatherer:
    """Keeps arrivals of one process. `writers` lets one transaction at a time to the ledger."""

    def __init__(self, engine: sa.Engine, writers: CapacityLimiter, series_of: Callable[[str], str | None]) -> None:
        self.engine, self.writers, self.series_of = engine, writers, series_of
        self._waiting: list[tuple[Arrival, asyncio.Future[bool] | None]] = []
        self._work: asyncio.Task[None] | None = None

    async def keep(self, arrival: Arrival) -> bool:
        """Commit an arrival with those that come at the same time; False when it was known. Raises TooMany, or what the ledger raised."""
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._add(arrival, asked)
        return await asked

    def note(self, arrival: Arrival) -> None:
        """Commit an arrival soon. Nobody waits for it: a kill in these milliseconds loses it, which an open may be and nothing else."""
        if len(self._waiting) < WAITING:
            self._add(arrival, None)

    def _add(self, arrival: Arrival, asked: "asyncio.Future[bool] | None") -> None:
        if len(self._waiting) >= WAITING:
            raise TooMany
        self._waiting.append((arrival, asked))
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._commit_all())

    async def _commit_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(SECONDS)
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            await self._commit(batch)

    async def _commit(self, batch: "Sequence[tuple[Arrival, asyncio.Future[bool] | None]]") -> None:
        """One transaction; where it fails, each by itself, so that nobody pays for another's row."""
        try:
            outcomes = await self._kept([arrival for arrival, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0][1], error)
                return
            for one in batch:
                await self._commit([one])
            return
        for (_, asked), outcome in zip(batch, outcomes, strict=True):
            if asked is not None and not asked.done():
                asked.set_result(outcome)

    async def _kept(self, arrivals: Sequence[Arrival]) -> Sequence[bool]:
        return await anyio.to_thread.run_sync(self._write, arrivals, limiter=self.writers)

    def _write(self, arrivals: Sequence[Arrival]) -> Sequence[bool]:
        with self.engine.begin() as connection:
            return keep_answers(connection, arrivals, self.series_of)


def _fail(asked: "asyncio.Future[bool] | None", error: Exception) -> None:
    if asked is None:
        LOG.error("an open could not be kept: %s", type(error).__name__)
    elif not asked.done():
        asked.set_exception(error)
