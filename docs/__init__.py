"""Pages about Vesper, and the programs that make the generated ones. Nothing here is imported by the product."""
