"""`python -m bench.send_crash [--kills 20] [--seed N] [--json]`: kills whole nights.
`python -m bench.send_crash --recipients 1500 --kills 15 [--workers 4] [--connections 1] [--channel email|sms|sms_tencent|wechat]
[--ledger sqlite|postgres] [--json]`: kills workers that send.

What belongs here: the arguments, and whether the result is good. What does not: the two benches (`nights.py`, `workers.py`).
"""

import argparse
import json
import sys
from typing import Any

from rich.console import Console

LEDGERS = ("sqlite", "postgres")


def main() -> None:
    parser = argparse.ArgumentParser(description="SIGKILL, and count what is lost or doubled.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument(
        "--recipients", type=int, default=0, help="kill workers that send to so many people; 0 kills whole nights"
    )
    parser.add_argument("--workers", type=int, default=4, help="processes that send side by side")
    parser.add_argument("--connections", type=int, default=1, help="connections of each")
    parser.add_argument(
        "--channel", choices=("email", "sms", "sms_tencent", "wechat"), default="email", help="what they send over"
    )
    parser.add_argument("--ledger", choices=LEDGERS, action="append", help="both unless told")
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")
    chosen = parser.parse_args()
    result, is_good = _workers(chosen) if chosen.recipients else _nights(chosen)
    Console(stderr=chosen.json).print(result)
    if chosen.json:
        print(json.dumps(result))
    if not is_good:
        sys.exit(1)


def _nights(chosen: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    from bench.send_crash.nights import run

    result = run(chosen.kills, chosen.seed)
    clean = not (result["faults"] or result["duplicates"] or result["losses"])
    return result, clean and result["kills"] == chosen.kills


def _workers(chosen: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """The worst of both ledgers, and each of them."""
    from bench.send_crash.workers import Setting, run

    setting = Setting(chosen.recipients, chosen.kills, chosen.workers, chosen.connections, chosen.seed, chosen.channel)
    runs = {ledger: run(setting, ledger) for ledger in chosen.ledger or LEDGERS}
    worst = {
        name: max(one[name] for one in runs.values())
        for name in ("duplicates", "losses", "unknown", "unknown_most_per_kill")
    }
    least = {name: min(one[name] for one in runs.values()) for name in ("delivered", "kills")}
    is_good = all(one["is_good"] for one in runs.values())
    return {
        **worst,
        **least,
        "recipients": chosen.recipients,
        "seed": chosen.seed,
        "is_good": is_good,
        "runs": runs,
    }, is_good


if __name__ == "__main__":
    main()
