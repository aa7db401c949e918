"""blackbox_exporter: a check for every target that Prometheus sends to an http module."""

from __future__ import annotations

from pathlib import Path

from monitor.migrate import blackbox_rules as rules
from monitor.migrate import handlers
from monitor.migrate.blackbox_login import Login
from monitor.migrate.credentials import Credentials, has_header
from monitor.migrate.draft import Draft, ImportResult
from monitor.migrate.names import Names, Variables
from monitor.migrate.objects import Documents, documents, has_any
from monitor.migrate.prometheus import targets
from monitor.migrate.scrape_job import Target, nickname
from monitor.migrate.source import Item, WrongShape
from monitor.migrate.values import pace, seconds
from monitor.model.errors import ForeignFileError

_DIFFERENCES = [
    "A check is down at its first failure (down_after = 1), as probe_success is 0 then; `for:` in rules still works.",
    "The one timeout of a probe (scrape_timeout less 0.5 s, or the module's) bounds all three limits here.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "Bodies are read up to max_body, 1 MiB unless given; blackbox_exporter reads them whole unless it has a limit.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning).",
    "All addresses of a name are tried; blackbox_exporter tries one.",
    "HTTP/1.1 is spoken; blackbox_exporter takes HTTP/2 where it can.",
]
_OFFSET = 0.5
"""blackbox_exporter's own default of --timeout-offset."""


def read(path: Path, prometheus: list[Path]) -> ImportResult:
    """The modules in `path`, applied to the targets of Prometheus; raises `ForeignFileError`."""
    found = documents(path)
    imported = ImportResult("blackbox_exporter", [str(path), *map(str, prometheus)], _DIFFERENCES)
    known = _modules(found, path, imported)
    reader, used = _Reader(imported, path.parent), set()
    for file in prometheus:
        for target in targets(file, imported):
            used.add(target.module)
            reader.add(target, known.get(target.module))
    for name, item in known.items():
        if name not in used:
            imported.lost(item.place, f"no target uses the module {name}")
    return imported


def _modules(found: Documents, path: Path, imported: ImportResult) -> dict[str, Item]:
    """The modules of all documents by name; of two with one name the first."""
    configurations = found.configurations(lambda item: has_any(item, ("modules",)), "blackbox_exporter", imported)
    known: dict[str, Item] = {}
    try:
        given = [modules for document in configurations if (modules := document.get("modules"))]
        if not given:
            where = configurations[0].place if configurations else str(path)
            sentence = f"{where}: has no `modules`, so this is no blackbox_exporter configuration"
            raise ForeignFileError(found.complaint or sentence)
        for modules in given:
            known = modules.entries() | known
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None
    for document in configurations:
        for key, item in document.entries().items():
            if key != "modules":
                imported.lost(item.place, f"{key}: there is no such key known here")
    return known


class _Reader:
    """Makes one draft of each target and its module."""

    def __init__(self, imported: ImportResult, directory: Path) -> None:
        self._imported = imported
        self._names = Names()
        self._credentials = Credentials(Variables())
        self._login = Login(directory, self._credentials)

    def add(self, target: Target, module: Item | None) -> None:
        """Add the check of this target, or the reason why there is none."""
        shown = nickname(target.address)
        if module is None:
            self._imported.lost(target.place, f"{shown}: there is no module {target.module}")
            return
        try:
            prober = module.get("prober")
            kind = prober.text() if prober else "a module without a prober"
            if kind != "http":
                self._imported.lost(target.place, f"{shown}: {kind} cannot be checked here")
                return
            self._imported.drafts.append(self._draft(target, module))
        except WrongShape as wrong:
            self._imported.lost(wrong.place, f"{wrong.message}; so {shown} was not imported")

    def _draft(self, target: Target, module: Item) -> Draft:
        wanted = nickname(target.address)
        name = self._names.unique(wanted)
        draft = Draft(
            f"{target.place}, {module.place}",
            {"name": name, "group": target.job, "down_after": 1},
            module=target.module,
        )
        draft.titled(wanted)
        for label, value in target.labels.items():
            draft.label(target.place, label, value)
        _pace(draft, target, module)
        draft.table("expect")["status"] = ["2xx"]
        handlers.apply(draft, module, dict.fromkeys(("prober", "timeout", "http"), handlers.skip), rules.other_prober)
        http = module.get("http")
        self._request(draft, target, http.anew() if http else None)
        if "body" in draft.keys:
            draft.keys.setdefault("method", "GET")
        return draft

    def _request(self, draft: Draft, target: Target, http: Item | None) -> None:
        """A header Authorization wins over a user name in the URL, and that over the rest, as in Go's HTTP client."""
        login = self._login
        if http:
            handlers.apply(draft, http, login.headers(), handlers.skip)
        address = target.address
        if not address.lower().startswith(("http://", "https://")):
            address = f"http://{address}"
        self._credentials.url(draft, target.place, address)
        secure = address.lower().startswith("https:")
        if http:
            read_already = dict.fromkeys(login.headers(), handlers.skip)
            handlers.apply(draft, http, rules.HTTP | login.handlers() | read_already)
            rules.protocols(draft, http, secure=secure)
        _host(draft, target, secure=secure)


def _pace(draft: Draft, target: Target, module: Item) -> None:
    given = module.get("timeout")
    own = seconds(given.text()) if given else None
    limit = target.timeout - _OFFSET if target.timeout > _OFFSET else own or target.timeout
    if given and own is None:
        draft.lost(given.place, f"{given.path}: is not a duration")
    pace(draft, target.place, target.interval, min(limit, own or limit))


def _host(draft: Draft, target: Target, *, secure: bool) -> None:
    """A Host header is also the name for TLS, as in the exporter."""
    if target.hostname and not has_header(draft.keys, "Host"):
        draft.table("headers")["Host"] = target.hostname
    host = next((v for k, v in draft.keys.get("headers", {}).items() if k.lower() == "host"), None)
    if isinstance(host, str) and secure:
        draft.table("tls").setdefault("server_name", host.rpartition(":")[0] or host)
