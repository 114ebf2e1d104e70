"""Training a linkage: how likely each level of agreement is among pairs of one person (m) and of two (u), and the prior.

What belongs here: finding the numbers. What does not: using them (`scoring.py`). Nothing is drawn at random: strangers are neighbours in
the order of a hash, so that the same records train the same model.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from vesper.model.linkage import Level, Linkage, LinkageModel, Rule
from warehouse.linkage.blocking import pairs_sql
from warehouse.linkage.fields import column, prepared_sql, spoken
from warehouse.linkage.levels import DIFFERS, MISSING, SAME, judged_sql, levels, naming, unlike_sql
from warehouse.linkage.settings import NotTrainable, is_near_unique, linker_of, splink_settings
from warehouse.linkage.sounds import drop_sounds, keep_sounds
from warehouse.runner import Runner

if TYPE_CHECKING:
    from splink import Linker

PREPARED = "linkage_prepared"
STRANGERS = 500_000
MOST_PAIRS = 3_000_000
DIGITS = 6
FEWEST = 2
# A level that no pair of one person showed speaks for nobody.
RARE = 1e-3
# No data is so clean that one person's records never differ: a floor under m of `differs`.
LEAST_ERRORS = 0.005
# Share of strangers among the pairs that share a near-unique value, where the sample shows none.
LEAST_STRANGERS = 0.002


@contextmanager
def prepared(runner: Runner, records: sa.Table, linkage: Linkage) -> Iterator[int]:
    """The records as they are compared, as table `linkage_prepared` of the runner's connection; their number."""
    identifier = next(iter(records.c)).name
    named = f'"{records.name}"'
    if spoken(linkage):
        keep_sounds(runner, linkage, named)
    sql = prepared_sql(linkage, named, identifier)
    runner.query(f"create or replace temp table {PREPARED} as {sql}")
    drop_sounds(runner)
    try:
        yield _one(runner, f"select count(*) from {PREPARED}")
    finally:
        runner.query(f"drop table {PREPARED}")


def train(runner: Runner, records: sa.Table, linkage: Linkage) -> Linkage:
    """The linkage with a model trained on bound records, without labels.

    Args:
        records: a bound table whose first column names the record.

    Raises NotTrainable where no pair meets a training rule, or strangers alone met a level.
    """
    # Imported here: a night without a linkage never loads Splink. Its public names hold no error of training.
    from splink.internals.exceptions import EMTrainingException

    try:
        return _with_model(runner, records, linkage)
    except (EMTrainingException, ValueError) as error:
        raise NotTrainable(f"The linkage {linkage.id} cannot learn from these rows.") from error


def _with_model(runner: Runner, records: sa.Table, linkage: Linkage) -> Linkage:
    with prepared(runner, records, linkage) as count:
        if count < FEWEST:
            raise NotTrainable(f"{count} rows are no pair.")
        prior = _prior(runner, linkage, count)
        u = _strangers(runner, linkage, count)
        _correct_near_unique(runner, linkage, count, u)
        m = _learned(runner, linkage, prior, u)
    found = {
        name: {
            level: Level(m=_rounded(_kept(m[name], level, share)), u=_rounded(share)) for level, share in judged.items()
        }
        for name, judged in u.items()
    }
    model = LinkageModel(records=count, prior=_rounded(prior), levels=found)
    return linkage.model_copy(update={"model": model})


def _one(runner: Runner, sql: str) -> Any:
    return runner.query(sql).fetchall()[0][0]


def _kept(m: dict[str, float], level: str, u: float) -> float:
    found = m.get(level, min(u, RARE))
    return max(found, LEAST_ERRORS) if level == DIFFERS else found


def _rounded(share: float) -> float:
    """Six digits, which is more than any sample knows, and a model that people can read."""
    return float(f"{min(max(share, 1e-9), 1 - 1e-6):.{DIGITS}g}")


def _prior(runner: Runner, linkage: Linkage, count: int) -> float:
    """Chance that two random records are one person, from rules that are nearly never wrong and find a known share."""
    found = _one(runner, f"select count(*) from ({pairs_sql(linkage.certain.rules, PREPARED)})")
    return float(max(found, 1) / linkage.certain.recall / (count * (count - 1) / 2))


def _sides_sql(pairs: str, runner: Runner) -> str:
    """SQL of pairs (a, b) with the columns of both sides, named as comparisons read them."""
    names = [row[0] for row in runner.query(f"describe {PREPARED}").fetchall()]
    sides = ", ".join(f"{side}.{name} as {name}_{side}" for side in "lr" for name in names)
    return f"select {sides} from ({pairs}) p join {PREPARED} l on l.id = p.a join {PREPARED} r on r.id = p.b"


def _shares(runner: Runner, linkage: Linkage, pairs: str) -> dict[str, dict[str, float]]:
    """Comparison -> level -> its share among pairs where nothing is missing; a level that never came counts as half a pair."""
    judged = ", ".join(f"{judged_sql(linkage, name)} as {name}" for name in linkage.comparisons)
    runner.query(f"create or replace temp table linkage_judged as select {judged} from ({_sides_sql(pairs, runner)})")
    found: dict[str, dict[str, float]] = {}
    for name in linkage.comparisons:
        rows = runner.query(f"select {name}, count(*) from linkage_judged group by 1").fetchall()
        counts = dict(rows)
        counts.pop(MISSING, None)
        total = sum(counts.values()) or 1
        found[name] = {
            level: max(counts.get(level, 0), 0.5) / total for level in levels(linkage, name) if level != MISSING
        }
    runner.query("drop table linkage_judged")
    return found


def _strangers(runner: Runner, linkage: Linkage, count: int) -> dict[str, dict[str, float]]:
    """u: shares among records that have nothing to do with each other."""
    steps = max(1, min(count // 2, STRANGERS // count))
    order = f"select id, row_number() over (order by md5(cast(id as varchar)), id) - 1 as place from {PREPARED}"
    pairs = (
        f"with shuffled as ({order}), reached as (select id, (place + unnest(range(1, {steps + 1}))) % {count} as place from shuffled) "
        "select x.id as a, y.id as b from reached x join shuffled y on y.place = x.place"
    )
    return _shares(runner, linkage, pairs)


def _correct_near_unique(runner: Runner, linkage: Linkage, count: int, u: dict[str, dict[str, float]]) -> None:
    """Almost every pair that shares a phone is one person, so strangers are the pairs that share it under incompatible names."""
    named = naming(linkage)
    for name, fields in linkage.comparisons.items():
        if not is_near_unique(linkage, name) or named is None:
            continue
        sharing = pairs_sql([(fields[0],)], PREPARED)
        both, unlike, known = runner.query(
            f"select count(*), count(*) filter ({unlike_sql(linkage, named)}), count(*) filter (not ({levels(linkage, named)[MISSING]})) "
            f"from ({_sides_sql(sharing, runner)})"
        ).fetchall()[0]
        share = max(unlike / max(known, 1), LEAST_STRANGERS)
        u[name][SAME] = share * max(both, 1) / (count * (count - 1) / 2)


def _learned(
    runner: Runner, linkage: Linkage, prior: float, u: dict[str, dict[str, float]]
) -> dict[str, dict[str, float]]:
    """m, by expectation maximisation over the pairs of each training rule."""
    start = LinkageModel(
        records=2,
        prior=min(max(prior, 1e-9), 0.5),
        levels={
            name: {level: Level(m=_start(level, judged), u=_rounded(share)) for level, share in judged.items()}
            for name, judged in u.items()
        },
    )
    with linker_of(runner, PREPARED, splink_settings(linkage, start)) as linker:
        for rule in linkage.training:
            _train_on(linker, rule)
        return _trained(linker)


def _start(level: str, judged: dict[str, float]) -> float:
    """Splink's own beginning: most pairs of one person agree."""
    return 0.9 if level == SAME else 0.1 / max(len(judged) - 1, 1)


def _train_on(linker: "Linker", rule: Rule) -> None:
    condition = " and ".join(f"l.{column(part)} = r.{column(part)}" for part in rule)
    linker.training.estimate_parameters_using_expectation_maximisation(
        condition, fix_u_probabilities=True, max_pairs=MOST_PAIRS
    )


def _trained(linker: "Linker") -> dict[str, dict[str, float]]:
    """m of the levels that some pair showed. Splink's public model does not say which ones it learned."""
    return {
        comparison.output_column_name: {
            level.label_for_charts: float(level.m_probability or 0)
            for level in comparison.comparison_levels
            if not level.is_null_level and level._has_estimated_m_values
        }
        for comparison in linker._settings_obj.comparisons
    }
