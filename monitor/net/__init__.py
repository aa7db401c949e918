"""How to reach a target: names, addresses, connections, TLS, proxies."""
