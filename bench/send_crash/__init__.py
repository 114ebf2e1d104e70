"""What a SIGKILL costs: messages lost, messages doubled, messages of which nobody knows.

What belongs here: whole nights that are killed (`nights.py`), and workers that are killed while they send (`workers.py`, `worker.py`). What does
not: the tests of single transitions (`tests/send/`).
"""
