"""What the web app knows of the company: the definitions in force, read again when something was activated, and links it looked up.

What belongs here: looking things up, remembered for a short time. What does not: deciding anything.
"""

import threading
import time
from typing import TypeVar

from vesper.definition_set import DefinitionSet
from vesper.model.definition import Definition
from vesper.model.outreach import outreaches
from warehouse.house import House
from warehouse.ledger.definitions import newest_activation
from warehouse.ledger.engine import reading
from warehouse.ledger.link import url_of

T = TypeVar("T", bound=Definition)
FRESH_SECONDS = 5.0
LINKS = 50_000
"""Links that are remembered; a company has a few hundred."""


class Known:
    """The definitions and links of an open workspace. Called from worker threads; a lookup may read the ledger."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._lock = threading.Lock()
        self._definitions: DefinitionSet | None = None
        self._series: dict[str, str] = {}
        self._activation: int | None = None
        self._read_at = 0.0
        self._links: dict[str, str] = {}

    def of(self, kind: type[T], id: str) -> T | None:
        """One definition in force; None where there is none of that name."""
        return self._current().of(kind).get(id)

    def series_of(self, outreach_id: str) -> str | None:
        """The series of a campaign or journey."""
        self._current()
        return self._series.get(outreach_id)

    def remembered(self, link_id: str) -> str | None:
        """Where a link leads, when it is known without asking the ledger."""
        return self._links.get(link_id)

    def url_of(self, link_id: str) -> str | None:
        """Where a link leads; None for one that no letter named. A link never changes, so what was found is remembered."""
        found = self._links.get(link_id) or url_of(self.house.engine, link_id)
        if found and len(self._links) < LINKS:
            self._links[link_id] = found
        return found

    def _current(self) -> DefinitionSet:
        with self._lock:
            if self._definitions is None or time.monotonic() > self._read_at + FRESH_SECONDS:
                self._read()
            assert self._definitions is not None
            return self._definitions

    def _read(self) -> None:
        with reading(self.house.engine) as connection:
            newest = newest_activation(connection)
        if self._definitions is None or newest != self._activation:
            self._definitions = self.house.definitions_at(newest)
            self._series = {id: one.series for id, one in outreaches(self._definitions).items()}
            self._activation = newest
        self._read_at = time.monotonic()
