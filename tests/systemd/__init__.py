"""The service under a real systemd: `make test-systemd` boots containers of Debian and installs it there."""
