"""Fresh workspaces of the grocer, away from the example's own.

What belongs here: composing one and running commands in it. What does not: measuring.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLE = REPOSITORY / "examples" / "grocer"
SILENT = {"DO_NOT_TRACK": "1", "GX_ANALYTICS_ENABLED": "false"}


def grocer(root: Path, households: int | None = None) -> Path:
    """A grocer of so many households (None is all 2,469) with its landing files, and nothing published."""
    from examples.grocer.compose import compose

    root.mkdir(parents=True)
    shutil.copy(EXAMPLE / "vesper.toml", root)
    shutil.copytree(EXAMPLE / "definitions", root / "definitions")
    if households is not None:
        _steady(root / "definitions" / "sources" / "shop_order.yml")
    compose(root, households=households)
    return root


def _steady(source: Path) -> None:
    """A small grocer has days with a quarter of their usual lines, or none: for it, such a file is whole."""
    text = source.read_text(encoding="utf-8")
    if "drop_ratio: 0.4" not in text:
        raise RuntimeError(f"{source}: no drop_ratio: 0.4 to relax for a small grocer")
    source.write_text(text.replace("min: 1,", "min: 0,").replace("drop_ratio: 0.4", "drop_ratio: 0"), encoding="utf-8")


def copied(root: Path, to: Path) -> Path:
    """A copy of a workspace, times of arrival included."""
    return Path(shutil.copytree(root, to, copy_function=shutil.copy2))


def last_line(*arguments: str) -> str:
    """The last line that `python ARGUMENTS` prints, run in the repository; RuntimeError with what it said if it fails."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, env={**os.environ, **SILENT})
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    return done.stdout.strip().splitlines()[-1]
