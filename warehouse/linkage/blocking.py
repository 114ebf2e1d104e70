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


def near_values(linkage: Linkage) -> list[tuple[str, ...]] | None:
    """What a record and a fresh one have in common if some rule brings them together: SQL of the values that are equal, one tuple for each rule.

    More records have these in common than are in a pair, since they are found without the sound of any name; but a record that has none of them in
    common with a fresh one can be in no pair. None where a rule asks for what cannot be looked up like that, so that every record may be in one.
    """
    asked = {frozenset(part for part in rule if not _is_sound(linkage, part)) for rule in linkage.blocking}
    if frozenset() in asked or any("=" in part or is_list(part) for rule in asked for part in rule):
        return None
    least = sorted(sorted(rule) for rule in asked if not any(other < rule for other in asked))
    alone = {rule[0] for rule in least if len(rule) == 1}
    # Whoever shares a value shares its parts, so of the two only a part is looked for; one without the part is looked for by the value.
    whole = {
        min(part for part in alone if part.startswith(f"{name}.")): name for name in alone if _has_part(alone, name)
    }
    return [
        tuple(
            f"coalesce({value_sql(linkage, part)}, {value_sql(linkage, whole[part])})"
            if len(rule) == 1 and part in whole
            else value_sql(linkage, part)
            for part in rule
        )
        for rule in least
        if len(rule) > 1 or rule[0] not in whole.values()
    ]


def _has_part(alone: set[str], name: str) -> bool:
    return any(part.startswith(f"{name}.") for part in alone)


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
