"""The weight of a pair: the sum of Splink's match weights for its levels of agreement, as one SQL expression over the pair.

What belongs here: that sum, and what a conflict of names takes off. What does not: pairs (`blocking.py`), levels (`levels.py`), training. Splink
trains the model and its own prediction is what this is tested against; a night adds up without it, since importing it and having it write the same
SQL costs more than all that a night with ten thousand new rows has to weigh.
"""

import math

from vesper.model.linkage import Level, Linkage, LinkageModel
from warehouse.linkage.fields import COMPARED, column
from warehouse.linkage.levels import MISSING, UNLIKE, judged_sql, levels, naming
from warehouse.linkage.settings import NotTrained, is_near_unique


def weighed_sql(linkage: Linkage, model: LinkageModel, pairs: str, prepared: str) -> str:
    """SQL of (a, b, weight) of the pairs (a, b) of a table of prepared records; the weight in thousandths of a bit.

    Raises NotTrained for a level that the model does not know.
    """
    sides = ", ".join(f"{side}.{name} as {name}_{side}" for side in "lr" for name in _read(linkage))
    joined = f"select p.a, p.b, {sides} from {pairs} p join {prepared} l on l.id = p.a join {prepared} r on r.id = p.b"
    judged = ", ".join(f"{judged_sql(linkage, name)} as {name}" for name in linkage.comparisons)
    agreeing = f", {_agreeing(linkage)} as agreeing" if _judges_conflict(linkage) else ""
    # Added up in the order and the numbers of Splink, so that the last digit is the same.
    weight = " + ".join([_number(math.log2(model.prior / (1 - model.prior))), *_weights(linkage, model)])
    return (
        f"select a, b, cast(round(({weight}) * 1000) as integer) as weight "
        f"from (select a, b, {judged}{agreeing} from ({joined}))"
    )


def _read(linkage: Linkage) -> list[str]:
    """Columns of a prepared record that comparisons read."""
    fields = dict.fromkeys(field for compared in linkage.comparisons.values() for field in compared)
    parts = {field: COMPARED.get(linkage.fields[field].kind, ()) for field in fields}
    return [*fields, *(column(f"{field}.{part}") for field, named in parts.items() for part in named)]


def _weights(linkage: Linkage, model: LinkageModel) -> list[str]:
    """SQL of each comparison's weight, from the column that holds its level."""
    found = []
    for name in linkage.comparisons:
        whens = " ".join(
            f"when '{level}' then {_number(_weight(linkage, model, name, level))}" for level in levels(linkage, name)
        )
        found.append(f"case {name} {whens} end")
    if _judges_conflict(linkage):
        unlike = ", ".join(f"'{level}'" for level in UNLIKE)
        taken_off = _number(-linkage.name_conflict / 1000)
        found.append(
            f"case when agreeing <= 1 and {naming(linkage)} in ({unlike}) then {taken_off} else {_number(0)} end"
        )
    return found


def _weight(linkage: Linkage, model: LinkageModel, comparison: str, level: str) -> float:
    if level == MISSING:
        return 0.0
    known: Level | None = model.levels.get(comparison, {}).get(level)
    if known is None:
        raise NotTrained(linkage.id, f"{comparison}: {level}")
    return math.log2(known.m / known.u)


def _judges_conflict(linkage: Linkage) -> bool:
    return bool(linkage.name_conflict and naming(linkage) and _keys(linkage))


def _agreeing(linkage: Linkage) -> str:
    """SQL of how many near-unique values a pair shares: incompatible names on the strength of one are a household or an office."""
    return " + ".join(f"coalesce(cast({key}_l = {key}_r as integer), 0)" for key in _keys(linkage))


def _keys(linkage: Linkage) -> list[str]:
    return [linkage.comparisons[name][0] for name in linkage.comparisons if is_near_unique(linkage, name)]


def _number(value: float) -> str:
    """A number with all its digits, which the engine would read as a decimal without the cast."""
    return f"cast({float(value)!r} as double)"
