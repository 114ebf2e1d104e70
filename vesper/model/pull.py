"""How a source is asked that does not deliver files: a database by a query, an interface over HTTP page by page.

What belongs here: the declaration. What does not: asking (connectors/sources/sql.py, http.py) and when it happens (tasks/fetch.py).
Secrets never stand here: `${NAME}` is a variable of the environment, put in when the source is asked.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from vesper.model.definition import Strict, Text
from vesper.model.timing import Duration
from vesper.problem import wrong

VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class SqlPull(Strict):
    """A database that is asked each night."""

    url: Text
    """SQLAlchemy address of the database, as a variable of the environment: ${CRM_URL}."""
    table: Text | None = None
    """Table or view that is read, schema.table where it is not in the usual schema."""
    query: Text | None = None
    """Or a SELECT."""
    cursor: Text | None = None
    """Column that grows with each change. A night asks for rows from the last value seen on; without it, for all rows."""
    lookback: Duration | None = None
    """Asks so much further back than the last value seen, for rows that are committed late."""

    @model_validator(mode="after")
    def _one_of_two(self) -> "SqlPull":
        if (self.table is None) == (self.query is None):
            raise wrong("A database is read by a table or by a query.", "Write one of `table` and `query`.")
        if self.lookback and not self.cursor:
            raise wrong("`lookback` goes back from a cursor, and there is none.", "Add `cursor`, or drop it.")
        return self


class Pages(Strict):
    """How an interface splits its answer."""

    by: Literal["page", "offset", "cursor", "link"]
    """Numbered pages, rows to skip, a token of the next page, or the address of the next page."""
    param: Text | None = None
    """Parameter that carries the page's number, the rows to skip or the token."""
    first: Annotated[int, Field(ge=0)] = 1
    """Number of the first page."""
    size: Annotated[int, Field(ge=1)] | None = None
    """Rows a page may have; sent as `size_param`."""
    size_param: Text | None = None
    """Parameter that carries the size."""
    next: Text | None = None
    """Where the answer says the token or the address of the next page, e.g. paging.next. By link: the Link header where it is missing."""
    more: Text | None = None
    """Where the answer says whether there is another page, e.g. has_more. Without it, numbered pages end with an empty one."""

    @model_validator(mode="after")
    def _settings_fit(self) -> "Pages":
        if self.by == "cursor" and not self.next:
            raise wrong("Pages by cursor need to know where the answer holds the next one.", "Add `next`.")
        if self.by != "link" and not self.param:
            raise wrong("Pages by {by} need the parameter that asks for one.", "Add `param`.", by=self.by)
        if (self.size is None) != (self.size_param is None):
            raise wrong("`size` and `size_param` belong together.", "Write both or neither.")
        return self


class HttpPull(Strict):
    """An interface over HTTP that answers with JSON."""

    url: Annotated[str, Field(pattern=r"^(https?://|\$\{)")]
    """Address that is asked."""
    records: str = ""
    """Where the answer holds the list of rows, e.g. data.items; empty: the answer is the list."""
    params: dict[str, Text] = {}
    """Parameters of every request."""
    headers: dict[str, Text] = {}
    """Headers of every request, e.g. Authorization: Bearer ${CRM_TOKEN}."""
    user: Text | None = None
    """Name for basic authentication, as ${CRM_USER}."""
    password: Text | None = None
    """Password for basic authentication, as ${CRM_PASSWORD}."""
    pages: Pages | None = None
    """How the answer is split; one page where it is missing."""
    cursor: Text | None = None
    """Field that grows with each change. A night asks for rows from the last value seen on; without it, for all rows."""
    since_param: Text | None = None
    """Parameter that carries the last value seen."""
    start: Text | None = None
    """Value of `since_param` on the first night; without it the parameter is left out then."""
    lookback: Duration | None = None
    """Asks so much further back than the last value seen."""
    per_second: Annotated[float, Field(gt=0, le=100)] = 5.0
    """Requests a second, at most."""
    attempts: Annotated[int, Field(ge=1, le=10)] = 5
    """How often a request is tried while the interface is busy (429) or out of order (5xx)."""
    timeout: Annotated[int, Field(ge=1, le=600)] = 60
    """Seconds without an answer after which a try has failed."""

    @model_validator(mode="after")
    def _settings_fit(self) -> "HttpPull":
        if (self.cursor is None) != (self.since_param is None):
            raise wrong("`cursor` and `since_param` belong together.", "Write both or neither.")
        if (self.start or self.lookback) and not self.cursor:
            raise wrong("`start` and `lookback` are about a cursor, and there is none.", "Add `cursor`, or drop them.")
        if (self.user is None) != (self.password is None):
            raise wrong("`user` and `password` belong together.", "Write both or neither.")
        return self


def variables(text: str) -> list[str]:
    """Names of the variables of the environment that a text asks for."""
    return VARIABLE.findall(text)
