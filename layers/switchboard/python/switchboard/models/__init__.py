"""The unified records, one module per resource, so that a function pays only for its own."""
