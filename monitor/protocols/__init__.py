"""Sends requests and reads answers, with one package for each protocol."""
