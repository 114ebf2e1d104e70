"""Vesper's mechanism, pure: definitions as models, decisions as functions that return SQLAlchemy Selects.

What belongs here: models, table declarations, conditions, stage decisions. What does not: engines, execution, Prefect, pandas,
Great Expectations, HTTP. The only I/O is `load.py` (definitions) and `language.py` (message catalogues).
"""
