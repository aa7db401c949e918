"""Defines the values that all other rooms use."""
