"""Checks between definitions, one module for each subject. Each offers `problems(book, _)`; `vesper/cross_check.py` runs them all."""
