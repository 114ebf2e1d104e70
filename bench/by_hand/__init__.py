"""The grocer's tables without Vesper: plain SQL for DuckDB, one script a stage, as one would write it for exactly this company.

What belongs here: SQL text, the little that SQL cannot do (`beyond_sql.py`), and the loop that runs the scripts. What does not: anything of Vesper
but its readers of single values (what a phone number says), or one script for two companies; that is the point.
"""
