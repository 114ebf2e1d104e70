"""Measure, score and segment of a large base: Vesper beside hand-written DuckDB SQL, Polars and pandas on the same invented data.

What belongs here: the data, the company's rules, and one module for each side. What does not: which runs are made and what is said of them
(`bench/night.py`).
"""
