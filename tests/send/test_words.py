"""Every sentence that sending can say exists in Chinese."""

import ast
from pathlib import Path

import pytest

from tasks.incident import FATES
from tests.catalogues import translated
from vesper.bounce import HARD_BOUNCE, SOFT_BOUNCES
from vesper.send import REFUSALS

SOURCES = (
    "tasks/delivery_report.py",
    "tasks/incident.py",
    "tasks/letters.py",
    "tasks/reconcile.py",
    "tasks/rollout.py",
    "tasks/send.py",
    "vesper/checks/outreach.py",
    "vesper/content.py",
)


@pytest.mark.requirement("R111")
def test_the_catalogue_holds_every_sentence(repository: Path) -> None:
    known = translated(repository)
    channels = (repository / "connectors" / "channels").glob("*.py")
    said = set().union(*[sentences(file) for file in [*(repository / source for source in SOURCES), *channels]])
    assert len(said) > 30
    assert said - known == set()
    words = {*REFUSALS, *FATES, HARD_BOUNCE, SOFT_BOUNCES}
    assert {word.replace("_", " ") for word in words} - {"stage"} - known == set()


def sentences(file: Path) -> set[str]:
    """The literal first argument of `_()` and of errors that speak."""
    speakers = {"_", "ContentError", "ChannelUnreachable", "NoVariant", "Oversized", "Outside", "Withheld"}
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    spoken = [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in speakers and call.args
    ]
    return {str(text.value) for text in spoken if isinstance(text, ast.Constant)}
