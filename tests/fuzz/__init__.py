"""Generated input for everything that reads what others write: bounded in examples, the same in each run."""
