"""Measurements: what a night costs beside the same tables by hand, and what a killed night loses. Each command prints one JSON object as its last line.

What belongs here: drivers that run the product in processes of its own and count. What does not: tests (they assert nothing about time), and any
change to the product: what is measured is wrapped from outside.
"""
