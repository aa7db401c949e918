"""blackbox_exporter: a check for every target that Prometheus sends to an http module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from monitor.errors import ForeignFileError
from monitor.migrate import blackbox_rules as rules
from monitor.migrate.draft import Draft, FromFile, Imported, Variable
from monitor.migrate.names import Names, Variables, label_name
from monitor.migrate.prometheus import Target, nickname, targets
from monitor.migrate.source import Item, WrongShape, load
from monitor.migrate.values import Secrets, has_header, pace, seconds

_DIFFERENCES = [
    "A check is down at its first failure (down_after = 1), as probe_success is 0 then; `for:` in rules still works.",
    "The one timeout of a probe bounds connecting, silence and the whole run, so the three limits here are the same.",
    "Redirects from https to http fail here (forbidden_redirect) unless allow_downgrade = true.",
    "Bodies are read up to max_body, 1 MiB unless given; blackbox_exporter reads them whole unless it has a limit.",
    "A certificate that ends within 14 days makes a check degraded (tls.expiry_warning).",
    "All addresses of a name are tried; blackbox_exporter tries one.",
    "HTTP/1.1 is spoken; blackbox_exporter takes HTTP/2 where it can.",
]
_OFFSET = 0.5
"""blackbox_exporter's own default of --timeout-offset."""
_TLS_VERSIONS = {"TLS10": "1.0", "TLS11": "1.1", "TLS12": "1.2", "TLS13": "1.3"}
_NO_PROXY = "there are no exceptions from a proxy here; take `proxy` from the checks that need none"


def read(path: Path, prometheus: list[Path]) -> Imported:
    """The modules in `path`, applied to the targets of Prometheus; raises `ForeignFileError`."""
    document = load(path)
    try:
        modules = document.get("modules")
        if modules is None:
            raise ForeignFileError(f"{document.place}: has no `modules`, so this is no blackbox_exporter configuration")
        known = modules.entries()
    except WrongShape as wrong:
        raise ForeignFileError(f"{wrong.place}: {wrong.message}") from None
    imported = Imported("blackbox_exporter", [str(path), *map(str, prometheus)], _DIFFERENCES)
    reader, used = _Reader(imported, path.parent), set()
    for key, item in document.entries().items():
        if key != "modules":
            imported.lost(item.place, f"{key}: there is no such key known here")
    for file in prometheus:
        for target in targets(file, imported):
            used.add(target.module)
            reader.add(target, known.get(target.module))
    for name, item in known.items():
        if name not in used:
            imported.lost(item.place, f"no target uses the module {name}")
    return imported


class _Reader:
    """Makes one draft of each target and its module."""

    def __init__(self, imported: Imported, directory: Path) -> None:
        self._imported = imported
        self._directory = directory
        self._names = Names()
        self._secrets = Secrets(Variables())
        self._owner = ""

    def add(self, target: Target, module: Item | None) -> None:
        """Add the check of this target, or the reason why there is none."""
        shown = nickname(target.address)
        if module is None:
            self._imported.lost(target.place, f"{shown}: there is no module {target.module}")
            return
        try:
            prober = module.get("prober")
            kind = prober.text() if prober else ""
            if kind != "http":
                self._imported.lost(
                    target.place, f"{shown}: {kind or 'a module without a prober'} cannot be checked here"
                )
                return
            self._imported.drafts.append(self._draft(target, module))
        except WrongShape as wrong:
            self._imported.lost(wrong.place, f"{wrong.message}; so {shown} was not imported")

    def _draft(self, target: Target, module: Item) -> Draft:
        self._owner = target.module
        name = self._names.unique(nickname(target.address))
        draft = Draft(f"{target.place}, {module.place}", {"name": name, "group": target.job, "down_after": 1})
        address = target.address
        if not address.lower().startswith(("http://", "https://")):
            address = f"http://{address}"
        self._secrets.url(draft, target.place, name, address)
        for label, value in target.labels.items():
            draft.table("labels")[label_name(label)] = value
        self._pace(draft, target, module)
        draft.table("expect")["status"] = ["2xx"]
        http = module.get("http")
        self._apply(draft, module, dict.fromkeys(("prober", "timeout", "http"), rules.skip), rules.other_prober)
        if http:
            self._apply(draft, http, self._keys(), rules.unknown)
        if "body" in draft.keys:
            draft.keys.setdefault("method", "GET")
        self._host(draft, target)
        self._security(draft, http)
        return draft

    def _pace(self, draft: Draft, target: Target, module: Item) -> None:
        given = module.get("timeout")
        own = seconds(given.text()) if given else None
        limit = max(target.timeout - _OFFSET, 0.001) if target.timeout > _OFFSET else own or target.timeout
        rule = f"scrape_timeout less the exporter's {_OFFSET:g} s"
        if given and own is None:
            draft.lost(given.place, "timeout: is not a duration")
        if own and own < limit:
            limit, rule = own, "the module's timeout, which is shorter than scrape_timeout"
        pace(draft, target.place, target.interval, limit, rule)

    def _apply(
        self,
        draft: Draft,
        item: Item,
        keys: dict[str, Callable[[Draft, Item], None]],
        other: Callable[[Draft, Item], None],
    ) -> None:
        """Every key, so that none is dropped in silence."""
        for key, inner in item.entries().items():
            if inner.empty:
                continue
            try:
                keys.get(key, other)(draft, inner)
            except WrongShape as wrong:
                draft.lost(wrong.place, wrong.message)

    def _keys(self) -> dict[str, Callable[[Draft, Item], None]]:
        return {
            "valid_status_codes": rules.statuses,
            "valid_http_versions": rules.versions,
            "method": lambda draft, item: draft.keys.update(method=item.text().upper()),
            "headers": self._headers,
            "http_headers": self._http_headers,
            "body": lambda draft, item: self._secrets.body(draft, item.place, self._owner, item.text()),
            "body_file": lambda draft, item: draft.keys.update(body=self._file(item, "body")),
            "body_size_limit": rules.body_limit,
            "compression": rules.compression,
            "follow_redirects": lambda draft, item: draft.keys.update(follow_redirects=item.boolean()),
            "no_follow_redirects": lambda draft, item: draft.keys.update(follow_redirects=not item.boolean()),
            "fail_if_ssl": rules.skip,
            "fail_if_not_ssl": rules.skip,
            "fail_if_body_matches_regexp": lambda draft, item: rules.body(draft, "not_matches", item),
            "fail_if_body_not_matches_regexp": lambda draft, item: rules.body(draft, "matches", item),
            "fail_if_header_matches": lambda draft, item: rules.header_rules(draft, item, wanted=False),
            "fail_if_header_not_matches": lambda draft, item: rules.header_rules(draft, item, wanted=True),
            "tls_config": lambda draft, item: self._apply(draft, item, self._tls(), rules.unknown),
            "basic_auth": self._basic,
            "bearer_token": lambda draft, item: self._bearer(draft, item, None),
            "bearer_token_file": lambda draft, item: self._bearer(draft, None, item),
            "authorization": self._authorization,
            "oauth2": lambda draft, item: draft.pause(item.place, "oauth2: tokens are not fetched here"),
            "proxy_url": lambda draft, item: self._secrets.proxy(draft, item.place, self._owner, item.text()),
            "no_proxy": lambda draft, item: draft.lost(item.place, f"no_proxy: {_NO_PROXY}"),
            "proxy_from_environment": lambda draft, item: rules.if_set(
                draft, item, "proxies of the environment are not used here; write `proxy`"
            ),
            "proxy_connect_header": lambda draft, item: draft.lost(
                item.place, "proxy_connect_header: a proxy gets no headers here but for its user name and password"
            ),
            "skip_resolve_phase_with_proxy": lambda draft, item: draft.differs(
                item.place, "skip_resolve_phase_with_proxy: here it is always the proxy that resolves the name"
            ),
            "preferred_ip_protocol": rules.skip,
            "ip_protocol_fallback": rules.skip,
            "enable_http2": lambda draft, item: draft.differs(
                item.place, "enable_http2: HTTP/1.1 is spoken in any case"
            ),
            "enable_http3": lambda draft, item: rules.if_set(draft, item, "HTTP/3 is not spoken here; HTTP/1.1 is"),
        }

    def _tls(self) -> dict[str, Callable[[Draft, Item], None]]:
        def path(draft: Draft, item: Item) -> None:
            draft.table("tls")[item.path.rpartition(".")[2]] = str(self._path(item))

        return {
            "insecure_skip_verify": lambda draft, item: draft.table("tls").update(verify=not item.boolean()),
            "ca_file": path,
            "cert_file": path,
            "key_file": path,
            "server_name": lambda draft, item: draft.table("tls").update(server_name=item.text()),
            "min_version": lambda draft, item: draft.table("tls").update(
                min_version=_TLS_VERSIONS.get(item.text(), item.text())
            ),
            "max_version": lambda draft, item: draft.lost(
                item.place, "tls_config.max_version: has no counterpart here"
            ),
        }

    def _path(self, item: Item) -> Path:
        return Path(self._directory, item.text()).absolute()

    def _file(self, item: Item, what: str) -> FromFile:
        return self._secrets.file(self._path(item), self._owner, what)

    def _headers(self, draft: Draft, item: Item) -> None:
        for name, value in item.entries().items():
            self._secrets.header(draft, value.place, self._owner, name, value.text())

    def _http_headers(self, draft: Draft, item: Item) -> None:
        """Of several values blackbox_exporter sends the last: values, then secrets, then files."""
        for name, given in item.entries().items():
            values, secrets, files = (given.get(key) for key in ("values", "secrets", "files"))
            if files and files.texts():
                place = Path(self._directory, files.texts()[-1]).absolute()
                draft.table("headers")[name] = self._secrets.file(place, self._owner, name)
            elif secrets and secrets.texts():
                draft.table("headers")[name] = self._secrets.variable(
                    draft,
                    secrets.place,
                    self._owner,
                    name,
                    secrets.texts()[-1],
                    meaning=f"the value of the header {name}",
                )
            elif values and values.texts():
                self._secrets.header(draft, values.place, self._owner, name, values.texts()[-1])
            if sum(len(each.texts()) for each in (values, secrets, files) if each) > 1:
                draft.lost(given.place, f"http_headers.{name}: of several values the last is sent, as by the exporter")

    def _basic(self, draft: Draft, item: Item) -> None:
        name, password, name_file, password_file = (
            item.get(key) for key in ("username", "password", "username_file", "password_file")
        )
        if not name_file and not password_file:
            self._secrets.basic(
                draft, item.place, self._owner, name.text() if name else "", password.text() if password else ""
            )
            return
        secret: str | Variable | FromFile = ""
        if password_file:
            secret = self._file(password_file, "password")
        elif password:
            secret = self._secrets.variable(
                draft, password.place, self._owner, "password", password.text(), meaning="the password"
            )
        user = self._file(name_file, "username") if name_file else name.text() if name else ""
        draft.keys["auth"] = {"basic": {"username": user, "password": secret}}

    def _bearer(self, draft: Draft, token: Item | None, file: Item | None) -> None:
        if file:
            draft.keys["auth"] = {"bearer": self._file(file, "token")}
        elif token:
            made = self._secrets.variable(
                draft, token.place, self._owner, "token", token.text(), meaning="the bearer token"
            )
            draft.keys["auth"] = {"bearer": made}

    def _authorization(self, draft: Draft, item: Item) -> None:
        scheme, token, file = (item.get(key) for key in ("type", "credentials", "credentials_file"))
        word = scheme.text() if scheme else "Bearer"
        if word.lower() == "bearer":
            self._bearer(draft, token, file)
        elif file:
            draft.pause(
                file.place, f"authorization: a header {word} with credentials from a file cannot be put together"
            )
        elif token:
            meaning = f"the header Authorization: {word}, a space, and the credentials"
            draft.table("headers")["Authorization"] = self._secrets.variable(
                draft, token.place, self._owner, "authorization", token.text(), meaning=meaning
            )

    def _host(self, draft: Draft, target: Target) -> None:
        """A Host header is also the name for TLS, as in the exporter."""
        if target.hostname and not has_header(draft.keys, "Host"):
            draft.table("headers")["Host"] = target.hostname
        host = next((v for k, v in draft.keys.get("headers", {}).items() if k.lower() == "host"), None)
        if isinstance(host, str) and str(draft.keys["url"]).startswith("https:"):
            draft.table("tls").setdefault("server_name", host.rpartition(":")[0] or host)

    def _security(self, draft: Draft, http: Item | None) -> None:
        if http is None:
            return
        family, fallback = http.get("preferred_ip_protocol"), http.get("ip_protocol_fallback")
        version = 4 if family and family.text() == "ip4" else 6
        if fallback and not fallback.boolean():
            draft.keys["ip_version"] = version
        elif family:
            draft.differs(family.place, f"preferred_ip_protocol: both families are tried, IPv{version} not first")
        secure = str(draft.keys["url"]).lower().startswith("https:")
        plain, tls = http.get("fail_if_ssl"), http.get("fail_if_not_ssl")
        if tls and tls.boolean() and not secure:
            draft.lost(tls.place, "fail_if_not_ssl: an answer over http is a success here; check the https URL")
        elif tls and tls.boolean():
            draft.differs(tls.place, "fail_if_not_ssl: the URL is https, and a redirect to http fails here anyway")
        if plain and plain.boolean():
            rules.no_tls(draft, plain, secure)
