"""The process and its machine: log, limits, systemd, files, supervision."""
