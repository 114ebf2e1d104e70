"""The identity bench: Vesper's consolidation and plain Splink on any labelled file, both on the same cleaned input in the same run.

What belongs here: reading a labelled file, both sides, the figures. What does not: the linkage itself (`warehouse/linkage`, `vesper/identity`).
"""
