"""Reaches targets over any protocol: names, addresses, connections, TLS, proxies."""
