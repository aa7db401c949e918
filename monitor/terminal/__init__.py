"""What the command line shows to a person, and how it asks for and runs single checks."""
