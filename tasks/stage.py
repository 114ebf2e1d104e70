"""Opening and closing a stage: lock, run row, definitions in force; then conservation, gate and one publishing transaction, or one sentence."""

import datetime as dt
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from data_quality.conservation import broken_sentence
from data_quality.gate import Candidate as Gated
from data_quality.gate import run_gate
from data_quality.metrics import metric_rows
from data_quality.table_volume import judge_rows
from data_quality.verdict import failure_sentence, warning_sentences
from tasks.bench import HISTORY, Bench, Mode
from tasks.erase import finish_erasures
from tasks.kept_reports import keep_report
from vesper.language import translator
from vesper.night import Night
from vesper.stage_report import CheckResult, StageFailed, StageReport
from vesper.tables.declare import stored
from vesper.tables.quality import COVERAGE, METRIC
from warehouse.house import House
from warehouse.ledger.engine import reading
from warehouse.ledger.runs import RunStart, end_run, latest_run, pin_inputs, start_run
from warehouse.ledger.suppression import bind_key
from warehouse.lock import run_lock
from warehouse.part import WHOLE, Part, row_count_of
from warehouse.rehearsal import Rehearsal, RehearsalLake
from warehouse.runner import Runner


@contextmanager
def open_stage(
    root: Path, stage: str, business_on: dt.date, may_send: bool = False, mode: Mode = "night", threads: int = 2
) -> Iterator[Bench]:
    """A workbench for one stage of one night. Leaving the block normally gates and publishes; an error publishes nothing.

    Raises StageFailed with one readable sentence; the ledger's run row and the owner's notice carry the same sentence.
    """
    house = House.open(root)
    with run_lock(house.workspace.store) as fresh:
        if fresh:
            house.tidy()
            finish_erasures(house)
        with Runner(house.lake, threads) as runner:
            bind_key(runner, house.address_key)
            bench = _bench(house, runner, stage, business_on, may_send, mode)
            try:
                yield from _work(bench)
            finally:
                house.close()


def _work(bench: Bench) -> Iterator[Bench]:
    started, cpu = time.monotonic(), time.process_time()
    failed = None
    try:
        yield bench
        _close(bench)
    except Exception as error:
        failed = _failed(bench, error)
    finally:
        bench.report.seconds = time.monotonic() - started
        bench.report.cpu_seconds = time.process_time() - cpu
    if failed is None and bench.mode == "night":
        keep_report(bench.house.workspace.store, bench.report)
    # Raised here, so that it chains to nothing: whoever keeps the error must not keep the frames with their connections.
    if failed is not None:
        raise failed


def _bench(house: House, runner: Runner, stage: str, on: dt.date, may_send: bool, mode: Mode) -> Bench:
    rehearsal = mode if isinstance(mode, Rehearsal) else None
    if mode == "night":
        night = house.night(on)
    else:
        with reading(house.engine) as connection:
            made = latest_run(connection, stage, on)
        if made is None:
            raise StageFailed(
                f"{stage} {on}: nothing was published for this night, so there is nothing to compare with"
            )
        night = Night(on, house.workspace, house.definitions_at(None if rehearsal else made["activation_id"]))
    if rehearsal:
        house = replace(house, lake=rehearsal.over(house.lake))
        runner.lake = house.lake
    if stage != "consolidate":
        night = replace(night, held=_held(house, runner, on))
    start = RunStart(stage if mode == "night" else f"replay {stage}", on, night.definitions.fingerprint, may_send)
    run_id = start_run(house.engine, start)
    return Bench(house, night, runner, StageReport(stage, on), run_id, "night" if mode == "night" else "replay")


def _held(house: House, runner: Runner, on: dt.date) -> frozenset[str]:
    """Sources that consolidate found to have a hole tonight (R106)."""
    runner.bind_snapshot(COVERAGE, house.lake.as_of(COVERAGE.name, on))
    return frozenset(row[0] for row in runner.rows(sa.select(COVERAGE.c.source).where(COVERAGE.c.is_held)))


def _close(bench: Bench) -> None:
    _ = translator(bench.house.workspace.company.language)
    owner = bench.house.workspace.notices.owner
    unbalanced = broken_sentence(bench.report.balances, owner, _)
    if unbalanced:
        raise StageFailed(unbalanced, bench.report)
    if bench.mode == "replay":
        _compare(bench)
        return
    bench.report.checks.extend(_volumes(bench))
    bench.report.checks.extend(run_gate(_gated(bench)))
    refused = failure_sentence(bench.report.checks, owner, _)
    if refused:
        raise StageFailed(refused, bench.report)
    bench.report.warnings.extend(warning_sentences(bench.report.checks, _))
    # What was gated, sent or warned of depends on what a run found done already, so it is no figure of the night.
    metrics = bench.bind_rows(
        "metrics_tonight", METRIC, metric_rows(replace(bench.report, checks=[], warnings=[], facts={}))
    )
    bench.keep_night(METRIC, sa.select(metrics))
    _publish(bench)


def _volumes(bench: Bench) -> list[CheckResult]:
    """Row counts of all candidates against their declaration and the night before, whole tables even where only parts are new."""
    results = []
    for name, candidate in bench.candidates.items():
        before = bench.snapshot_before(name)
        results += judge_rows(bench.table(name), candidate.row_count, before.row_count if before else None)
    return results


def _gated(bench: Bench) -> list[Gated]:
    """What was written now; parts that were reused passed the gate on their own night."""
    gated = []
    for name, candidate in bench.candidates.items():
        fresh = [part for part in candidate.parts if part.key in candidate.fresh]
        if fresh:
            table = stored(bench.table(name))
            files = bench.house.lake.files(fresh)
            gated.append(Gated(table, files, "whole" if WHOLE in candidate.fresh else "new"))
    return gated


def _publish(bench: Bench) -> None:
    inputs, run_id = bench.inputs, bench.run_id
    steps = [
        *bench.alongside,
        lambda connection: pin_inputs(connection, run_id, inputs),
        lambda connection: end_run(connection, run_id, "published"),
    ]
    bench.house.lake.publish(list(bench.candidates.values()), bench.business_on, run_id, steps)


def _compare(bench: Bench) -> None:
    """Replay: every table written anew must have the contents of its manifest."""
    lake = bench.house.lake
    verdict, rows = {}, {}
    for name, candidate in bench.candidates.items():
        published = lake.parts(bench.snapshot(name))
        hashes = [{part.key: part.sha256 for part in parts} for parts in (published, candidate.parts)]
        verdict[name] = "same" if hashes[0] == hashes[1] else "differs"
        rows[name] = tuple(_rows_of(bench, name, parts) for parts in (published, candidate.parts))
    bench.report.facts |= {"replay": verdict, "replay_rows": rows}
    if isinstance(lake, RehearsalLake):
        lake.rehearsal.lay(list(bench.candidates.values()))
    with bench.house.engine.begin() as connection:
        end_run(connection, bench.run_id, "replayed")


def _rows_of(bench: Bench, name: str, parts: Sequence[Part]) -> int:
    """Rows of a table; of a history those of the night."""
    if bench.table(name).info["cut"] != HISTORY:
        return row_count_of(parts)
    return row_count_of([part for part in parts if part.key.startswith(bench.business_on.isoformat())])


def _failed(bench: Bench, error: Exception) -> StageFailed:
    """One sentence for people, the run marked failed, the owner told. A fault of our own code says where its traceback lies."""
    if isinstance(error, StageFailed):
        failed = StageFailed(str(error), error.report or bench.report)
    else:
        failed = StageFailed(
            f"{bench.report.stage} {bench.business_on}: stopped by an unexpected {type(error).__name__}; nothing was published. "
            f"Run `vesper doctor`; the traceback stands in {_kept_traceback(bench, error)}",
            bench.report,
        )
    with bench.house.engine.begin() as connection:
        end_run(connection, bench.run_id, "failed", str(failed))
    _tell(bench, str(failed))
    return failed


def _kept_traceback(bench: Bench, error: Exception) -> Path:
    """The traceback of a fault, in a file of the workspace: it may quote data, so it goes to no log that others read."""
    path = bench.house.workspace.store / "faults" / f"{bench.run_id}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    return path


def _tell(bench: Bench, sentence: str) -> None:
    """Tell the owner outside Prefect; what fails there is a warning, since it must not hide the failure it is about."""
    from tasks.notices import tell_owner

    unsent = tell_owner(bench.house.workspace, f"{bench.report.stage} {bench.business_on} failed", sentence)
    if unsent:
        bench.report.warnings.append(unsent)
