"""Writes every generated file, or says which is out of date: `python -m docs.generate [--check]`.

What belongs here: the list of generated files and the comparison. How one page is made stands in its own module beside this one.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from docs import condition_page, content_page, experiment_page, requirement_page, schema_files, table_page

ROOT = Path(__file__).resolve().parent.parent


def from_the_code() -> dict[str, str]:
    """Generated files that follow from the code alone, by path."""
    return {
        "docs/tables.md": table_page.page(),
        "docs/conditions.md": condition_page.page(),
        "docs/content.md": content_page.page(),
        "docs/experiments.md": experiment_page.page(),
        **schema_files.files(),
    }


def stale(root: Path) -> Iterator[str]:
    """One sentence for each generated file that is not what its sources say."""
    yield from requirement_page.problems(root)
    yield from (
        f"{name}: not what the code says; run `make docs`"
        for name, text in from_the_code().items()
        if read(root / name) != text
    )
    yield from (f"{name}: no kind of definition stands behind it; remove it" for name in schema_files.surplus(root))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def write(root: Path) -> Iterator[str]:
    """Write every generated file; the names of those that changed."""
    for name, text in {str(requirement_page.PAGE): requirement_page.fresh(root), **from_the_code()}.items():
        if text != read(root / name):
            (root / name).parent.mkdir(exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
            yield name


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the generated files.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when one is out of date")
    if parser.parse_args().check:
        faults = [*stale(ROOT), *requirement_page.broken_claims(ROOT)]
        print("\n".join(faults) or "generated files are current")
        return 1 if faults else 0
    for name in write(ROOT):
        print(f"written: {name}")
    for sentence in requirement_page.unknown(ROOT):
        print(sentence)
    return 0


if __name__ == "__main__":
    sys.exit(main())
