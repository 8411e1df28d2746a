"""One module per CRM, found by its name; `registry.load` is the only way in."""
