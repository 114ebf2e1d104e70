"""The bench of sending counts at the server: each mail there once, on either sink. (That it is fast is no test.)"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import load_sink
from bench.plain_mail import send_plainly


@pytest.mark.slow
@pytest.mark.requirement("R62")
def test_a_small_run_has_every_mail_once(repository: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "bench.send_rate",
        "--mails",
        "150",
        "--people",
        "2000",
        "--connections",
        "2",
        "--json",
    ]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["faults"] == []
    assert [(one["synchronous"], one["taken"]) for one in found["runs"]] == [
        ("normal", 150),
        ("normal", 150),
        ("full", 150),
    ]
    assert (found["planning"]["people"], found["planning"]["intents"]) == (2000, 1800)
    assert found["plain"]["mails"] == found["plain"]["taken"] == 150


def test_our_own_sink_takes_its_place_and_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_sink, "installed", lambda: None)
    people = [{"id": f"p{n}", "name": "王小明", "city": "上海", "email": f"p{n}@example.com"} for n in range(7)]
    with load_sink.load_sink() as sink:
        assert sink.name == "python"
        assert send_plainly(sink.port, people) == 7
        assert sink.taken_by_now(7) == 7
