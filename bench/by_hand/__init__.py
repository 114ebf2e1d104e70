"""The grocer's tables without Vesper: plain SQL for DuckDB, one script a stage, as one would write it for exactly this company.

What belongs here: SQL text, the readers of the two formats that DuckDB cannot read, and the loop that runs the scripts. What does not: anything
imported from Vesper, or one script for two companies; that is the point.
"""
