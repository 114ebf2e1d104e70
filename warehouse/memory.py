"""How much the engine may hold.

What belongs here: changing the limit of a runner at work. What does not: how much a stage needs (`tasks/marts.py`).
"""

from warehouse.runner import Runner


def hold_at_most(runner: Runner, megabytes: int) -> None:
    """Let the engine hold less, or more, than its default from here on; beyond it, it spills to disk.

    Kept rows go with the stage, so the engine need not pack them anew whenever some sixteen megabytes of them have come or gone.
    """
    runner.connection.execute(f"set memory_limit='{megabytes}MB'; set checkpoint_threshold='1TB'")
