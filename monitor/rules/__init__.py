"""Pure decisions; the present is an argument."""
