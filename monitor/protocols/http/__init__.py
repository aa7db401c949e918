"""HTTP/1.0 and HTTP/1.1, in plain and over TLS."""
