"""A grocer's published year of shopping, with composed people: what is published and what is made up stands in README.md."""
