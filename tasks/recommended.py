"""What each person of a batch of letters is recommended: asked once for each recommendation, forgotten with the batch (R118).

What belongs here: whom which recommendation is asked for, and the list that fills the word. What does not: the rules (`vesper/recommend.py`), letters.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from vesper.content import Written
from vesper.marts.product_pair import PRODUCT_PAIR
from vesper.marts.segment_member import SEGMENT_MEMBER
from vesper.model.content import Content
from vesper.model.recommendation import Recommendation
from vesper.night import Night
from vesper.recommend import recommended_to
from vesper.tables.contact import CONSENT
from vesper.tables.order import ORDER_LINE, PRODUCT
from warehouse.house import House
from warehouse.runner import Runner

Recommend = Callable[[str, Collection[str]], Iterable[Any]]
"""Recommendation and contact ids -> rows of `vesper.recommend.recommended_to`."""
Products = list[dict[str, str]]
WORD = "recommended"


def recommends(content: Content | None, said: Written) -> str | None:
    """The recommendation that a content asks for; None where it shows none."""
    if content is None or content.recommends is None:
        return None
    return content.recommends if any(WORD in variant.words for variant in said.variants.values()) else None


def recommended(asked: Iterable[tuple[str, str]], recommend: Recommend) -> Mapping[tuple[str, str], Products]:
    """(recommendation, contact_id) -> products with name and code, in their order; nothing of who gets none."""
    people: dict[str, set[str]] = defaultdict(set)
    for id, contact_id in asked:
        people[id].add(contact_id)
    found: dict[tuple[str, str], Products] = defaultdict(list)
    for id, contact_ids in sorted(people.items()):
        for row in recommend(id, contact_ids):
            found[id, row.contact_id].append({"name": row.product_name, "code": row.product_code})
    return found


def recommending(night: Night, rows: Callable[[Any], Iterable[Any]]) -> Recommend:
    """What asks the lake of a night through `rows`; a recommendation that is no longer in force recommends nothing."""
    known = night.definitions.of(Recommendation)
    return lambda id, people: rows(recommended_to(known[id], people, night)) if id in known else ()


def recommending_now(house: House, runner: Runner, night: Night) -> Recommend:
    """The same between nights, over the tables in force; they are bound only where a content in force recommends anything."""
    if any(content.recommends for content in night.definitions.of(Content).values()):
        for table in (CONSENT, ORDER_LINE, PRODUCT, PRODUCT_PAIR, SEGMENT_MEMBER):
            if table.name not in runner.bound:
                runner.bind_snapshot(table, house.lake.in_force(table.name))
    return recommending(night, runner.rows)
