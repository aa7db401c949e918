"""TLS: a connection and its handshake."""
