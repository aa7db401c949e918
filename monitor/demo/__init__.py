"""`monitor demo`: targets on loopback that misbehave in every way there is a word for, and a daemon that watches them.

The targets run in a process of their own (`python -m monitor.demo`), so that what they do with their event loop is not
in the figures that the daemon measures. That process also owns the folder with certificates and configuration, and
removes it when its standard input ends: even if the daemon is killed, nothing is left.
"""
