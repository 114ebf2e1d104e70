"""Experiments in the night's send stage: assignments on entries before journeys advance, verdicts after the marts, winners by their rule.

What belongs here: running the Selects of `vesper/experiment/` and keeping what comes of them. What does not: the figures (`vesper/marts/`), the
verdict (`vesper/experiment/verdict.py`), the page (`tasks/experiment_page.py`).
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tasks.bench import Bench
from vesper.definition_hash import hash_of
from vesper.experiment.assign import dealt, triggers
from vesper.experiment.verdict import ArmFigures, Verdict, judge, why
from vesper.language import Translate, translator
from vesper.marts.experiment import EXPERIMENT, decided, figures
from vesper.marts.experiment_arm import horizon_on
from vesper.model.experiment import Experiment
from vesper.send import planned_at
from warehouse.ledger.experiment import assign, decide
from warehouse.ledger.experiment_copy import COPIES

RULE = "vesper"
"""Who decides where the experiment's own rule does."""


def bind_experiments(bench: Bench) -> None:
    """Make the ledger's assignments and decisions readable."""
    for name, copied in COPIES.items():
        bench.runner.bind_arrow(name, copied(bench.house.engine))


def deal_entries(bench: Bench) -> None:
    """Keep tonight's assignments of the experiments on which journey people enter, before anybody enters."""
    at = planned_at(bench.night)
    for experiment in triggers(bench.night.definitions, bench.night):
        select = dealt(experiment, bench.night, at)
        bench.read(select)
        rows = bench.runner.arrow(select)
        with bench.house.engine.begin() as connection:
            assign(connection, rows)
    bind_experiments(bench)


def judge_experiments(bench: Bench, may_decide: bool) -> None:
    """Fill mart__experiment from tonight's arms. With `may_decide` a winner whose rule says so is recorded: the next plan sends it to the rest."""
    known, _ = bench.night.definitions.of(Experiment), translator(bench.house.workspace.company.language)
    judged = {id: _judged(bench, known[id], arms) for id, arms in _by_experiment(bench).items() if id in known}
    winners = _winners(bench) if judged else {}
    if may_decide:
        for id, (arms, verdict) in judged.items():
            if id not in winners:
                _decide(bench, known[id], arms, verdict, _)
        bind_experiments(bench)
        winners = _winners(bench) if judged else {}
    rows = [_row(bench, known[id], arms, verdict, winners.get(id), _) for id, (arms, verdict) in judged.items()]
    bench.fill(EXPERIMENT, sa.select(bench.bind_rows("experiment_tonight", EXPERIMENT, rows)))
    if rows:
        bench.report.facts["experiments"] = [
            {key: row[key] for key in ("experiment_id", "state", "why")} for row in rows
        ]
    bench.report.warnings += [
        f"experiments/{row['experiment_id']}: {row['why']}" for row in rows if row["state"] == "srm"
    ]


def _winners(bench: Bench) -> dict[str, Any]:
    """The decision in force of each experiment that has one."""
    return {row.experiment_id: row for row in bench.rows(decided(bench.night))}


def _by_experiment(bench: Bench) -> dict[str, list[ArmFigures]]:
    found: dict[str, list[ArmFigures]] = {}
    for row in bench.rows(figures(bench.night)):
        one = ArmFigures(row.arm_id, row.assigned, row.closed, row.converted)
        found.setdefault(row.experiment_id, []).append(one)
    return found


def _judged(bench: Bench, experiment: Experiment, arms: Sequence[ArmFigures]) -> tuple[Sequence[ArmFigures], Verdict]:
    return arms, judge(experiment, arms, bench.business_on >= horizon_on(experiment))


def _decide(bench: Bench, experiment: Experiment, arms: Sequence[ArmFigures], verdict: Verdict, _: Translate) -> None:
    """Record the winner of an experiment whose rule is to send the rest and that nobody has decided yet."""
    if verdict.winner_id is None or experiment.winner != "send_the_rest":
        return
    reason = why(experiment, verdict, arms, horizon_on(experiment), _)
    decide(
        bench.house.engine, experiment.id, verdict.winner_id, bench.business_on, RULE, reason, planned_at(bench.night)
    )


def _row(
    bench: Bench,
    experiment: Experiment,
    arms: Sequence[ArmFigures],
    verdict: Verdict,
    winner: Any,
    _: Translate,
) -> dict[str, Any]:
    difference = verdict.difference
    return {
        "business_on": bench.business_on,
        "experiment_id": experiment.id,
        "state": verdict.state,
        "method": experiment.method,
        "assigned_count": sum(arm.assigned for arm in arms),
        "closed_count": sum(arm.closed for arm in arms),
        "needed_count": experiment.needed_people,
        "split_p": verdict.split_p,
        "arm_id": verdict.arm_id,
        "effect": difference.effect,
        "effect_low": difference.low,
        "effect_high": difference.high,
        "p": difference.p,
        "winner_id": winner.arm_id if winner else None,
        "decided_by": winner.by if winner else None,
        "why": why(experiment, verdict, arms, horizon_on(experiment), _),
        "definition_hash": hash_of(bench.night, f"experiments/{experiment.id}"),
    }
