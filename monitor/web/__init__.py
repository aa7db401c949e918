"""The HTTP side: the status page, its JSON, the metrics, and the endpoints for health probes and reload."""

from monitor.web.app import build_app
from monitor.web.backend import Backend
from monitor.web.entrance import Entrance
from monitor.web.limits import Limits
from monitor.web.server import Server, serve

__all__ = ["Backend", "Entrance", "Limits", "Server", "build_app", "serve"]
