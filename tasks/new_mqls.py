"""Who became an MQL tonight and what made the score, for the report page and the score stage's page (R53, R58).

What belongs here: putting each contact's reasons beside it, for the few people a page lists. What does not: who is chosen
(`vesper/sales_figures.py`), how it looks.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from vesper.definition_set import DefinitionSet
from vesper.language import Translate
from vesper.model.scoring import BASE, CLAMP, RULE_KINDS, ScoringRule, cap_id
from vesper.night import Night
from vesper.sales_figures import names_of, new_mqls, reasons_of

OWN_WORDS = {
    BASE: "base",
    CLAMP: "limit of the scale",
    **{cap_id(kind): f"limit of {kind} rules" for kind in RULE_KINDS},
}


class Reader(Protocol):
    """Whatever gives the rows of a Select."""

    def rows(self, select: Any, /) -> list[Any]: ...


@dataclass(frozen=True)
class NewMql:
    """One contact; `name` is masked, and the points of `reasons` sum to `score`."""

    contact_id: str
    name: str
    score: int
    previous_score: int | None
    reasons: tuple[tuple[str, int], ...]


def read_new_mqls(reader: Reader, night: Night) -> list[NewMql]:
    """The new MQLs of a night, the highest scores first, at most as many as a page lists."""
    people = reader.rows(new_mqls(night))
    if not people:
        return []
    ids = [row.contact_id for row in people]
    names = {row.contact_id: row.name or "" for row in reader.rows(names_of(ids))}
    reasons: dict[str, list[tuple[str, int]]] = {}
    for row in reader.rows(reasons_of(ids, night)):
        reasons.setdefault(row.contact_id, []).append((row.rule_id, row.points))
    return [
        NewMql(
            row.contact_id,
            names.get(row.contact_id, ""),
            row.score,
            row.previous_score,
            tuple(reasons.get(row.contact_id, ())),
        )
        for row in people
    ]


def in_words(reasons: Iterable[tuple[str, int]], night: Night, language: str, say: Translate) -> Iterator[str]:
    """Each reason as `title +points`."""
    for rule_id, points in reasons:
        yield f"{title_of(rule_id, night.definitions, language, say)} {points:+d}"


def title_of(rule_id: str, definitions: DefinitionSet, language: str, say: Translate) -> str:
    """What people call a reason: the rule's title, Vesper's own word for what is no rule, else the id of a rule that is defined no more."""
    rules = definitions.of(ScoringRule)
    if rule_id in rules:
        return rules[rule_id].title(language)
    return say(OWN_WORDS[rule_id]) if rule_id in OWN_WORDS else rule_id


def as_facts(people: Iterable[NewMql], night: Night, say: Translate) -> list[dict[str, Any]]:
    """Rows for the stage's page. Without names: a stage's report is kept longer than a contact may be."""
    language = night.workspace.company.language
    return [
        {
            "contact_id": each.contact_id,
            "score": each.score,
            "previous_score": each.previous_score,
            "reasons": "; ".join(in_words(each.reasons, night, language, say)),
        }
        for each in people
    ]
