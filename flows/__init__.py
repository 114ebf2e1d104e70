"""Prefect flows, one file per stage: order, waiting, artifacts. A flow reads as a table of contents; the work stands in `tasks/`.

What does not belong here: rules, SQL, reading or writing tables. `nightly.py`, `prepare.py` and `score.py` chain stages in one process; `ops.py` and
`deliver.py` are the actions that people start by a form; `stage.py`, `night_of_run.py`, `ending.py`, `artifacts.py` and `form.py` are what they share.
"""
