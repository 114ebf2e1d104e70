"""What an interface's answer says: its list of records, and how the next page is asked for. No request is made here."""

from collections.abc import Mapping
from typing import Any

from connectors.sources._pulled import NotFetched
from connectors.sources._unreadable import _
from vesper.model.pull import Pages

_NO = (None, False, "", "false", "0")


def records(body: Any, path: str) -> list[Any]:
    """The list of records at a path. Raises NotFetched where something else stands there; an absent list is none."""
    found = at(body, path)
    if isinstance(found, list):
        return found
    raise NotFetched(_("its answer holds no list at {path}; correct `records`"), path=path or "/")


def at(body: Any, path: str) -> Any:
    """What stands at a path of names joined by dots; None where nothing does."""
    for name in path.split(".") if path else ():
        body = body.get(name) if isinstance(body, dict) else None
    return body


def next_page(
    pages: Pages, params: Mapping[str, str], body: Any, links: Mapping[str, str], count: int
) -> dict[str, str] | str | None:
    """How the next page is asked for: other parameters, or an address; None after the last one.

    Numbered pages end with an empty one, since an interface may give fewer rows than it was asked for.
    """
    if pages.more is not None and at(body, pages.more) in _NO:
        return None
    if pages.by == "link":
        address = at(body, pages.next) if pages.next else links.get("next")
        return str(address) if address else None
    param = str(pages.param)
    if pages.by == "cursor":
        token = at(body, str(pages.next))
        return None if token in _NO else {**params, param: str(token)}
    if count == 0:
        return None
    return {**params, param: str(int(params[param]) + (1 if pages.by == "page" else count))}
