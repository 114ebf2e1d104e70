"""An instruments maker that sells to industry, wholly composed: who and what is made up, and which market sizes are published, stands in README.md."""
