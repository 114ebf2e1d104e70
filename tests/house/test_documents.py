"""Documents are short, current, and name only what is there."""

import re
from pathlib import Path

import pytest

from docs import generate

PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "GLOSSARY.md", "docs/decisions/README.md")
GLOSSARY_WORDS = (
    "contact", "lead", "MQL", "segment", "suppression", "golden record", "survivorship", "quarantine", "frequency cap", "holdout", "cut-off",
    "business date", "lake", "ledger", "snapshot", "part", "pointer", "held",
)  # fmt: skip


@pytest.mark.requirement("R122")
def test_generated_pages_are_current(repository: Path) -> None:
    assert list(generate.stale(repository)) == []


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(repository: Path, page: str) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", (repository / page).read_text(encoding="utf-8"))
    assert [t for t in targets if not ((repository / page).parent / t).exists()] == []


@pytest.mark.requirement("R123")
def test_the_readme_says_what_is_out_of_scope(repository: Path) -> None:
    scope = (repository / "README.md").read_text(encoding="utf-8").split("## Out of scope")[1]
    for word in (
        "landing pages",
        "posters",
        "videos",
        "social publishing",
        "ads",
        "red packets",
        "groups",
        "pop-ups",
        "call centre",
        "canvas",
    ):
        assert word in scope


def test_the_readme_is_one_screen_and_its_commands_exist(repository: Path) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    assert len(readme.splitlines()) <= 70
    for command in re.findall(r"^make (\w+)", readme, flags=re.MULTILINE):
        assert re.search(rf"^{command}:", makefile, flags=re.MULTILINE), command


def test_the_rooms_of_the_map_stand_in_the_tree(repository: Path) -> None:
    the_map = (repository / "README.md").read_text(encoding="utf-8").split("## The map")[1].split("## ")[0]
    rooms = re.findall(r"`([a-z_]+/)`", the_map)
    assert len(rooms) >= 14
    assert [room for room in rooms if not (repository / room).exists()] == []


def test_each_decision_is_one_page_of_three_parts_and_in_the_index(repository: Path) -> None:
    index = (repository / "docs/decisions/README.md").read_text(encoding="utf-8")
    for page in sorted((repository / "docs/decisions").glob("[0-9]*.md")):
        text = page.read_text(encoding="utf-8")
        assert re.findall(r"^## (.+)$", text, flags=re.MULTILINE) == ["Context", "Choice", "What it costs"], page.name
        assert len(text.splitlines()) <= 40, page.name
        assert page.name in index, page.name


def test_the_glossary_is_in_order_and_has_the_words_of_the_house(repository: Path) -> None:
    words = re.findall(
        r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$",
        (repository / "GLOSSARY.md").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )[1:]
    assert words == sorted(words, key=str.lower)
    assert [word for word in GLOSSARY_WORDS if word not in words] == []


def test_ci_runs_the_readmes_test_command_and_the_checks(repository: Path) -> None:
    script = repository / ".ci/run"
    assert script.stat().st_mode & 0o111
    assert re.findall(r"^\s*(make \w+)", script.read_text(encoding="utf-8"), flags=re.MULTILINE) == [
        "make test",
        "make check",
    ]
