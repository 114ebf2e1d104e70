"""Child processes on a lifeline: start, is it alive, its last words, stop. What they run stands in `server.py` and `up.py`."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HOUSE = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 20


@dataclass
class Child:
    """A running module with its log file."""

    process: subprocess.Popen[bytes]
    log: Path

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def last_words(self, lines: int = 5) -> str:
        """The end of its log, to show why it stopped."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    def stop(self) -> None:
        """Ask it to stop, insist after a while; returns when it is gone."""
        if self.is_alive():
            self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()


def start(arguments: list[str], variables: dict[str, str], log: Path) -> Child:
    """Start a module on a lifeline, in a session of its own, so that a Ctrl+C in the terminal reaches the parent alone."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "deployments.lifeline", *arguments],
            env={**os.environ, **variables},
            cwd=HOUSE,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Child(process, log)
