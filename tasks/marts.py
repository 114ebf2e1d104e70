"""Filling the marts of a stage: every file of `vesper/marts` that names the stage, each after those it reads."""

from tasks.bench import Bench
from vesper.marts import marts_of


def fill_marts(bench: Bench) -> None:
    """Fill every mart of the bench's stage."""
    for mart, select in marts_of(bench.report.stage, bench.night):
        bench.fill(mart.table, select)
