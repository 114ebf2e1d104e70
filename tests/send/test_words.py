"""Every sentence that sending can say exists in Chinese."""

import ast
from pathlib import Path

import pytest

from tests.catalogues import translated
from vesper.send import REFUSALS

SOURCES = ("tasks/delivery.py", "vesper/content.py", "connectors/channels/smtp.py", "connectors/channels/_fence.py")


@pytest.mark.requirement("R111")
def test_the_catalogue_holds_every_sentence(repository: Path) -> None:
    known = translated(repository)
    said = {text for source in SOURCES for text in sentences(repository / source)}
    assert len(said) == 10
    assert said - known == set()
    assert {reason.replace("_", " ") for reason in REFUSALS} - {"stage"} - known == set()


def sentences(file: Path) -> set[str]:
    """The literal first argument of `_()` and of errors that speak."""
    speakers = {"_", "ContentError", "ChannelUnreachable", "Withheld"}
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    spoken = [
        call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in speakers and call.args
    ]
    return {str(text.value) for text in spoken if isinstance(text, ast.Constant)}
