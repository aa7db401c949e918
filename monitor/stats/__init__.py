"""Time and results, summed up."""
