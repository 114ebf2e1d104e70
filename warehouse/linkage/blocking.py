"""Which pairs are looked at: those for which one rule holds, and those with a common partner.

What belongs here: SQL that gives pairs (a, b), a < b, each once. What does not: judging them.
"""

from collections.abc import Iterable

from vesper.model.linkage import Linkage, Rule
from warehouse.linkage.fields import column, is_list, value_sql


def pairs_sql(rules: Iterable[Rule], prepared: str, fresh: str | None = None) -> str:
    """SQL of the pairs of the rules over the prepared records.

    Args:
        fresh: a table with the column `id`; only pairs that touch one of them.
    """
    return " union ".join(_rule_sql(rule, prepared, fresh) for rule in rules)


def _rule_sql(rule: Rule, prepared: str, fresh: str | None) -> str:
    sides = [(part.split("=")[0], part.split("=")[-1]) for part in rule]
    mirrored = [(b, a) for a, b in sides]
    if set(mirrored) == set(sides):
        return _joined(sides, prepared, fresh)
    both = (sides, mirrored) if fresh else (sides,)
    return " union ".join(_joined(direction, prepared, fresh, is_symmetric=False) for direction in both)


def _joined(sides: list[tuple[str, str]], prepared: str, fresh: str | None, is_symmetric: bool = True) -> str:
    left, right = _side([a for a, _ in sides], prepared, fresh), _side([b for _, b in sides], prepared, None)
    equal = " and ".join(f"l.k{index} = r.k{index}" for index in range(len(sides)))
    order = "l.id < r.id" if is_symmetric and fresh is None else "l.id <> r.id"
    return (
        f"select least(l.id, r.id) as a, greatest(l.id, r.id) as b from {left} l join {right} r on {equal} and {order}"
    )


def _side(parts: list[str], prepared: str, fresh: str | None) -> str:
    """The records with the keys of one side of a rule; a record without one of them is in no pair."""
    keys = ", ".join(
        f"unnest({column(part)}) as k{index}" if is_list(part) else f"{column(part)} as k{index}"
        for index, part in enumerate(parts)
    )
    filled = " and ".join(f"{column(part)} is not null" for part in parts)
    only = f" and id in (select id from {fresh})" if fresh else ""
    return f"(select id, {keys} from {prepared} where {filled}{only})"


def near_sql(linkage: Linkage, columns: str, records: str, fresh: str) -> str:
    """SQL of the records that may be in a pair with a fresh one: more than are, found without the sound of any name.

    A record that no rule's other parts bring near can be in no pair, so only what is near needs to be made ready for the rules.

    Args:
        columns: those of a record that are wanted.
        records: a table with all records, in the columns of their fields.
        fresh: a table with the fresh ones of them.
    """
    asked = {frozenset(part for part in rule if not _is_sound(linkage, part)) for rule in linkage.blocking}
    if frozenset() in asked or any("=" in part or is_list(part) for rule in asked for part in rule):
        return f"select {columns} from {records}"
    least = sorted(sorted(rule) for rule in asked if not any(other < rule for other in asked))
    names = {part: f"near_{place}" for place, part in enumerate(sorted({part for rule in least for part in rule}))}
    values = ", ".join(f"{value_sql(linkage, part)} as {name}" for part, name in names.items())
    # Values in a subquery of their own, or each condition computes them anew for every record.
    sides = [f"(select {columns}, {values} from {source})" for source in (records, fresh)]
    near = " or ".join(_is_near([names[part] for part in rule], sides[1]) for rule in least)
    return f"select {columns} from {sides[0]} where {near}"


def _is_near(values: list[str], fresh: str) -> str:
    listed, filled = ", ".join(values), " and ".join(f"{value} is not null" for value in values)
    return f"coalesce(({listed}) in (select {listed} from {fresh} where {filled}), false)"


def _is_sound(linkage: Linkage, part: str) -> bool:
    name, _, wanted = part.partition(".")
    return wanted == "sound" and linkage.fields[name].kind == "name"


def friends_sql(links: str, scored: str) -> str:
    """SQL of the pairs with a common partner in `links` that `scored` lacks; both have the columns a and b."""
    both = f"select a as x, b as y from {links} union all select b, a from {links}"
    return (
        f"with near as ({both}) select distinct l.y as a, r.y as b from near l join near r on l.x = r.x and l.y < r.y "
        f"anti join {scored} s on s.a = l.y and s.b = r.y"
    )
