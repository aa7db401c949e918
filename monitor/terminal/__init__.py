"""The command line for people: runs single checks, queries the daemon, and prints results."""
