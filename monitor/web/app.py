"""The application: which path is answered by what, and what surrounds every answer."""

from __future__ import annotations

from aiohttp import web

from monitor.metrics import Registry
from monitor.web import api
from monitor.web.access import LOGIN_PATH, Access
from monitor.web.backend import Backend
from monitor.web.badges import Badges
from monitor.web.cors import Cors
from monitor.web.feeds import Feeds
from monitor.web.forms import Forms
from monitor.web.handlers import Handlers
from monitor.web.headers import add_headers
from monitor.web.incident_pages import IncidentPages
from monitor.web.limits import DEFAULT_LIMITS
from monitor.web.middleware import answer_errors, free_reserve, keep_reserve, log_requests, read_whole_request
from monitor.web.probe import ProbeHandler
from monitor.web.public import PublicHandlers
from monitor.web.site import SITE, Site
from monitor.web.static import serve_icon, serve_static


def build_app(
    backend: Backend, registry: Registry, access_log: bool, access: Access | None = None, site: Site | None = None
) -> web.Application:
    """Everything that is answered over HTTP: `served` is the monitor, `registry` answers scrapes, `access` says who may
    ask, everybody unless given, `site` by which names.
    """
    site = site or Site()
    who = (Cors(backend).middleware, read_whole_request, (access or Access()).middleware)
    around = (answer_errors, site.middleware, keep_reserve, *who)
    app = web.Application(
        middlewares=(log_requests, *around) if access_log else around,
        client_max_size=DEFAULT_LIMITS.body,
    )
    app[SITE] = site
    app.on_response_prepare.extend((add_headers, free_reserve))
    public, feeds = PublicHandlers(backend), Feeds(backend)
    handlers, incidents, forms = Handlers(backend, registry), IncidentPages(backend), Forms(backend)
    app.add_routes(
        [
            web.get("/", handlers.root),
            web.get("/metrics", handlers.metrics),
            web.get("/probe", ProbeHandler(backend).probe, allow_head=False),
            web.get("/status", handlers.status),
            web.get("/status.json", handlers.status_json),
            web.get("/status/{check}", handlers.check),
            web.post("/status/{check}/run", forms.run),
            web.get("/wall", handlers.wall),
            web.get(LOGIN_PATH, forms.login),
            web.get("/incidents", incidents.incidents),
            web.get("/incidents/{incident}", incidents.incident),
            web.post("/incidents/{incident}/acknowledge", forms.acknowledge),
            web.post("/announcements", forms.announce),
            web.post("/announcements/{announcement}/withdraw", forms.withdraw),
            web.get("/report", incidents.report),
            web.get("/feed.atom", feeds.everything),
            web.get("/public", public.page),
            web.get("/public.json", public.document),
            web.get("/public/feed.atom", feeds.public),
            web.get("/badge/{check}.svg", Badges(backend).badge),
            web.get("/icon/{icon}", serve_icon),
            web.get("/-/healthy", handlers.healthy),
            web.get("/-/ready", handlers.ready),
            web.post("/-/reload", handlers.reload),
            web.get("/static/{file}", serve_static),
            web.get("/favicon.ico", serve_static),
            *api.routes(backend),
        ]
    )
    site.serves(app)
    return app
