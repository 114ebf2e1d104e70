"""Every sentence of this room exists in Chinese, with the same facts in it (R111)."""

import string
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file

from connectors.sources import SourceUnreadable
from vesper.language import translator


def facts(message: str) -> set[str]:
    return {name for _, name, *_ in string.Formatter().parse(message) if name}


@pytest.mark.requirement("R111")
def test_every_message_has_a_chinese_translation_with_the_same_facts(repository: Path) -> None:
    files = [
        *(repository / "connectors/sources").glob("*.py"),
        repository / "tasks/fetch.py",
        repository / "tasks/new_source.py",
    ]
    messages = [str(found[1]) for file in files for found in extract_from_file("python", file, keywords={"_": None})]
    assert len(messages) > 60
    chinese = translator("zh_CN")
    assert [message for message in messages if chinese(message) == message] == []
    assert [message for message in messages if facts(chinese(message)) != facts(message)] == []


def test_a_fact_may_be_a_message(tmp_path: Path) -> None:
    from connectors.sources import jsonl

    path = tmp_path / "lead" / "m.jsonl"
    path.parent.mkdir()
    path.write_text("[1]\n")
    with pytest.raises(SourceUnreadable) as caught:
        jsonl.read(path, "auto")
    assert caught.value.said(translator("zh_CN")) == "lead/m.jsonl：第 1 行不是 JSON 对象；请每行写一个对象后重新发送。"
