"""A company that Vesper was not built for: 7,360 published leads of an online school, met with definitions alone.

The points were chosen on the leads with an even number; the backtest judges them on the others. Columns that tell the outcome are left out: Tags,
Lead Quality, Lead Profile, Last Notable Activity and the Asymmetrique ones.
"""

import csv
import datetime as dt
import gzip
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tasks import backtest
from tasks.night import directly, run_night
from tasks.sql import run_sql
from vesper.check import check
from vesper.clock import instant
from vesper.load import definition_texts

HERE = Path(__file__).parent / "xeducation"
LEADS_ON, OUTCOMES_ON = "2026-02-01", "2026-02-25"
NIGHT = dt.date(2026, 3, 1)
DAYS = 28
BY_ORIGIN = {
    "origin_api": (2832, 0.311),
    "origin_landing_page": (3925, 0.363),
    "origin_add_form": (557, 0.921),
    "origin_import": (45, 0.222),
    "origin_quick_form": (1, 1.0),
}
TELLING = ("Tags", "Lead Quality", "Lead Profile", "Last Notable Activity", "Asymmetrique")


def landed(root: Path, data: Path, parity: int | None) -> Path:
    """The school's folder with its files: all leads, or those whose number is even (0) or odd (1)."""
    shutil.copytree(HERE / "definitions", root / "definitions")
    shutil.copy(HERE / "vesper.toml", root)
    with gzip.open(data / "xeducation_leads" / "leads.csv.gz", "rt", encoding="utf-8", newline="") as text:
        head, *rows = csv.reader(text)
    number = head.index("Lead Number")
    chosen = [row for row in rows if parity is None or int(row[number]) % 2 == parity]
    for folder, on in (("lead", LEADS_ON), ("outcome", OUTCOMES_ON)):
        file = root / ".vesper" / "landing" / folder / f"{on}.csv"
        file.parent.mkdir(parents=True)
        with file.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out).writerows([head, *chosen])
        arrived = instant(dt.date.fromisoformat(on), dt.time(6), "Asia/Kolkata").replace(tzinfo=dt.UTC).timestamp()
        os.utime(file, (arrived, arrived))
    return root


def night_of(root: Path) -> Path:
    run_night(directly, root, NIGHT, False, ("consolidate", "measure", "score"))
    return root


@pytest.fixture(scope="module")
def school(reference_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All leads, one night."""
    return night_of(landed(tmp_path_factory.mktemp("school"), reference_data, None))


def test_the_school_is_made_of_definitions_alone() -> None:
    assert check(HERE) == []
    assert {path.suffix for path in HERE.rglob("*") if path.is_file()} <= {".yml", ".toml"}
    assert not [word for text in definition_texts(HERE).values() for word in TELLING if f"column: {word}" in text]


@pytest.mark.requirement("R48", "R60")
def test_the_published_rates_come_out_of_the_tables(school: Path) -> None:
    asked = (
        "select count(*), count(*) filter (where outcome = 'won') from core__lead_outcome where contact_id is not null"
    )
    ((people, won),) = run_sql(school, asked)[1]
    assert (people, round(100 * won / people, 1)) == (7360, 38.5)
    by_origin = run_sql(
        school,
        "select e.kind, count(*), avg(case when o.outcome = 'won' then 1.0 else 0.0 end) from core__event e "
        "join core__lead_outcome o using (contact_id) where e.source = 'xe_origin' group by 1",
    )[1]
    assert {kind: (number, round(float(rate), 3)) for kind, number, rate in by_origin} == BY_ORIGIN


@pytest.mark.requirement("R60", "R61")
@pytest.mark.parametrize(("with_last_activity", "least"), [(False, 0.86), (True, 0.88)])
def test_rules_chosen_on_one_half_find_the_converts_of_the_other(
    reference_data: Path, tmp_path: Path, with_last_activity: bool, least: float, record_property: Any
) -> None:
    root = landed(tmp_path / "half", reference_data, 1)
    if with_last_activity:
        shutil.copytree(HERE / "with_last_activity", root / "definitions", dirs_exist_ok=True)
    (judged,) = backtest.tested(night_of(root), DAYS).judgements
    assert judged.people > 3500
    record_property("auc", judged.auc)
    print(f"AUC {judged.auc:.4f} of {judged.people} people, lift of the top tenth {judged.lift_ten:.2f}")
    assert judged.auc is not None and judged.auc >= least
    assert judged.lift_ten is not None and judged.lift_ten > 2
