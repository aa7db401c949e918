"""What is asked of a target, one package for each protocol."""
