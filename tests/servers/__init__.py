"""Servers on loopback for tests, most of which misbehave: real sockets, counted connections, clean ends.

    tcp     Server (a script per connection), closed_port, hanging_port
    http    HttpServer (a function per request) and the answers it can give
    faults  scripts: resets, silence, drips, floods, bytes that are not HTTP
    certs   an authority and its certificates; tls: HTTPS servers wrong in one way each
    relay   a relay that spoils what a good server says
    dns     DnsServer, scripted by name; proxy: Proxy

Each is an async context manager that listens on a port of the kernel's choice.
"""
