"""What is known now."""
