"""Pydantic models, one file per kind of definition. The folder of a definition is its kind, its file stem its id."""
