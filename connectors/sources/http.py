"""An interface over HTTP, asked page by page; the answer lands as Parquet, every cell as text, nested names joined by an underscore."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa

from connectors.sources import _http_answer as answer
from connectors.sources._http_session import Session
from connectors.sources._json import NoRow, flat_row
from connectors.sources._pulled import Cursor, NotFetched, Pulling, Request, landing_name, moment_of
from connectors.sources._unreadable import _
from connectors.sources.parquet import read, stream
from vesper.model.pull import HttpPull, Pages

__all__ = ["pull", "read", "stream"]

MOST_PAGES = 100_000
Row = dict[str, str | None]


def pull(how: HttpPull, request: Request, sleep: Callable[[float], None] = time.sleep) -> Pulling:
    """Ask an interface; yields one table of all pages and returns the cursor that they reach.

    Rows at the last value are asked for again. Raises NotFetched; no address, header or value stands in it.
    """
    with Session(how, request, sleep) as session:
        rows = [row for page in _pages(how, request, session) for row in page]
    kept = [row for row in rows if how.cursor is None or not request.is_after(row.get(how.cursor))]
    if how.cursor and rows and not any(how.cursor in row for row in rows):
        raise NotFetched(_("its answer has no field {column} to be the cursor; correct `cursor`"), column=how.cursor)
    yield _table(kept, request.columns)
    return _reached([row[how.cursor] for row in kept if row.get(how.cursor)] if how.cursor else [], request.zone)


def _pages(how: HttpPull, request: Request, session: Session) -> Iterator[list[Row]]:
    pages = how.pages
    params = _first_params(how, request)
    address: str | None = None
    seen: set[str] = set()
    for number in range(MOST_PAGES):
        body, links = session.get(address, params)
        rows = _rows(answer.records(body, how.records), number)
        yield rows
        following = answer.next_page(pages, params, body, links, len(rows)) if pages else None
        if following is None:
            return
        address, params = (session.same_place(following), {}) if isinstance(following, str) else (None, following)
        asked = repr((address, sorted(params.items())))
        if asked in seen:
            raise NotFetched(_("it names a page as the next one that was asked already; correct `pages`"))
        seen.add(asked)
    raise NotFetched(_("it has more than {most} pages; correct `pages`"), most=MOST_PAGES)


def _first_params(how: HttpPull, request: Request) -> dict[str, str]:
    params = {name: request.filled(text) for name, text in how.params.items()}
    since = _since(how, request)
    if how.since_param and since:
        params[how.since_param] = since
    if how.pages and how.pages.size_param:
        params[how.pages.size_param] = str(how.pages.size)
    return params | _first_page(how.pages)


def _first_page(pages: Pages | None) -> dict[str, str]:
    if pages is None or pages.param is None or pages.by not in ("page", "offset"):
        return {}
    return {pages.param: str(pages.first if pages.by == "page" else 0)}


def _since(how: HttpPull, request: Request) -> str | None:
    """The value to ask from: the last one seen, less the look-back where it is an instant."""
    if request.since is None:
        return how.start
    text = request.since.text
    if not how.lookback:
        return text
    if text.isdigit() and len(text) > 8:
        unit = 1000 if len(text) > 11 else 1
        return str(int(text) - int(how.lookback.timedelta.total_seconds()) * unit)
    moment = moment_of(text, request.zone)
    return text if moment is None else f"{(moment - how.lookback.timedelta).isoformat()}Z"


def _rows(records: list[Any], page: int) -> list[Row]:
    try:
        return [flat_row(record) for record in records]
    except NoRow as error:
        what = error.what
    raise NotFetched(_("a record of page {page} {what}; correct `records`"), page=page + 1, what=what)


def _table(rows: list[Row], declared: tuple[str, ...]) -> pa.Table:
    names = list(dict.fromkeys(name for row in rows for name in row)) or list(declared)
    columns = [pa.array([row.get(name) or None for row in rows], pa.string()) for name in names]
    return pa.Table.from_arrays(columns, names=[landing_name(name) for name in names])


def _reached(values: list[Any], zone: str) -> Cursor | None:
    """The largest value: as numbers, as instants, or as text, whichever all of them are."""
    if not values:
        return None
    if all(value.isdigit() for value in values):
        return Cursor("text", max(values, key=int))
    moments = [moment_of(value, zone) for value in values]
    if None not in moments:
        return Cursor("text", max(zip(moments, values, strict=True))[1])
    return Cursor("text", max(values))
