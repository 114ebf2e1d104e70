"""Every example in every journey holds: Vesper's presets and those of the example companies (R75, R81)."""

from pathlib import Path
from typing import Any

import pytest

from tests.conditions.world import Tables
from tests.journeys.company import Company, journey, model
from tests.journeys.examples_of import mistakes, play
from vesper.load import definition_texts, parse
from vesper.model.journey import Journey
from vesper.model.journey_example import JourneyExample
from vesper.presets import preset_text
from warehouse.ledger.engine import open_ledger

REPOSITORY = Path(__file__).resolve().parents[2]
COMPANIES = [REPOSITORY / "examples" / name for name in ("grocer", "instruments")]


def journeys() -> dict[str, tuple[str, str]]:
    """Every journey that ships, by where it stands: id and text."""
    found = {
        f"presets/{file.stem}": (file.stem, preset_text("journeys", file.stem) or "")
        for file in (REPOSITORY / "definitions" / "journeys").glob("*.yml")
    }
    for root in COMPANIES:
        if list((root / "definitions" / "journeys").glob("*.yml")):
            texts = definition_texts(root)
            found |= {
                f"{root.name}/{key.split('/')[1]}": (key.split("/")[1], text)
                for key, text in texts.items()
                if key.startswith("journeys/")
            }
    return found


@pytest.fixture(scope="module")
def small(tables: Tables, tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("examples")
    engine = open_ledger(f"sqlite:///{root / 'ledger.db'}")
    yield Company(tables, engine, root)
    engine.dispose()


@pytest.mark.requirement("R73", "R75", "R81")
@pytest.mark.parametrize("name", journeys())
def test_the_examples_of_a_journey_hold(small: Company, name: str) -> None:
    id, text = journeys()[name]
    found = parse("journeys", id, text)
    assert isinstance(found, Journey)
    wrong = {
        number: mistakes(example, *play(small, found, text, example))
        for number, example in enumerate(found.examples, 1)
    }
    assert {number: said for number, said in wrong.items() if said} == {}


def test_a_wrong_example_is_noticed(small: Company) -> None:
    text = journey("id: hello, send: {content: hello}")
    example = JourneyExample.model_validate(
        {
            "happens": [{"kind": "page_viewed", "on": "day 1"}],
            "expect": [{"on": "day 2", "step": "hello", "gets": "hello"}],
            "ends": "goal",
        }
    )
    said = mistakes(example, *play(small, model(text), text, example))
    assert said[0] == "it ends done, not goal"
    assert "day 1" in said[1]
