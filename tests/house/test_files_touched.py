"""Adding a thing touches as many files as CONTRIBUTING says: each test adds it for real and uses it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vesper.check import check
from vesper.load import load_definitions
from vesper.model.campaign import Campaign
from vesper.model.market import Market
from vesper.model.persona import Persona
from vesper.model.scoring import ScoringRule
from vesper.model.segment import Segment
from vesper.model.source import Source
from vesper.model.tag import Tag
from vesper.model.tier import Tiering

RENAMED = {
    "scoring": ("two_orders_7d", ScoringRule),
    "segments": ("dormant_90d", Segment),
    "tags": ("coffee_lover", Tag),
    "tiers": ("customer_value", Tiering),
    "personas": ("young_parents", Persona),
    "markets": ("frequent", Market),
    "campaigns": ("winback_coupon", Campaign),
    "sources": ("crm_member", Source),
}

MART = '''"""How many contacts there are."""

from typing import Any

import sqlalchemy as sa

from vesper.clock import on
from vesper.marts import mart
from vesper.night import Night
from vesper.tables.contact import CONTACT
from vesper.tables.declare import DATE, INTEGER, column, table

HEADCOUNT = table(
    "mart__headcount",
    column("business_on", DATE, "Night", required=True),
    column("people", INTEGER, "Contacts", required=True),
    grain=("business_on",),
    owner="marketing",
    says="How many contacts there are.",
)


@mart(HEADCOUNT, stage="measure")
def headcount(night: Night) -> sa.Select[Any]:
    """One row."""
    return sa.select(on(night.business_on).label("business_on"), sa.func.count().label("people")).select_from(CONTACT)
'''


@pytest.fixture
def company(repository: Path, tmp_path: Path) -> Path:
    """The grocer's settings and definitions in a folder of their own."""
    root = tmp_path / "company"
    shutil.copytree(repository / "examples" / "grocer" / "definitions", root / "definitions")
    shutil.copy(repository / "examples" / "grocer" / "vesper.toml", root)
    return root


@pytest.mark.parametrize("kind", RENAMED)
def test_a_definition_is_one_file(company: Path, kind: str) -> None:
    model, model_class = RENAMED[kind]
    folder = company / "definitions" / kind
    shutil.copy(folder / f"{model}.yml", folder / "crm_added.yml")
    assert check(company) == []
    assert "crm_added" in load_definitions(company).of(model_class)


def test_a_table_of_key_figures_is_one_file(repository: Path, tmp_path: Path) -> None:
    """The copy of the mechanism gets one file more; it is found, ordered and declared without another edit."""
    shutil.copytree(repository / "vesper", tmp_path / "vesper", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "vesper" / "marts" / "headcount.py").write_text(MART, encoding="utf-8")
    asked = (
        "from vesper.marts import all_marts; m = all_marts()['mart__headcount']; print(m.stage, m.table.info['grain'])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True, env={"PYTHONPATH": "."}
    )
    assert answer.stdout.strip() == "measure ('business_on',)"
