"""Every sentence of this room and of the notices exists in Chinese, with the same facts in it (R111)."""

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

from vesper.language import translator


def facts(message: str) -> set[str]:
    return {name for _, name, *_ in string.Formatter().parse(message) if name}


@pytest.mark.requirement("R111")
def test_every_message_has_a_chinese_translation_with_the_same_facts(repository: Path) -> None:
    files = [*(repository / "data_quality").glob("*.py"), repository / "connectors" / "notify.py"]
    messages = [str(found[1]) for file in files for found in extract_from_file("python", file, keywords={"_": None})]
    assert len(messages) > 25
    chinese = translator("zh_CN")
    assert [message for message in messages if chinese(message) == message] == []
    assert [message for message in messages if facts(chinese(message)) != facts(message)] == []
