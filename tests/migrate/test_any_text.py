"""Any text in any field: the file that is written can be read, and says the same."""

from __future__ import annotations

import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import yaml
from hypothesis import example, given, settings

from monitor.keys.values import is_name, label
from monitor.migrate import blackbox, gatus
from monitor.migrate import kuma as uptime_kuma
from monitor.migrate.blackbox_login import Login
from monitor.migrate.blackbox_rules import HTTP
from monitor.migrate.conditions import Conditions
from monitor.migrate.credentials import Credentials
from monitor.migrate.draft import Draft, ImportResult, Kind, Note
from monitor.migrate.names import Variables, check_name, label_name
from monitor.migrate.vet import vetted
from monitor.migrate.writer import written
from tests.migrate.harness import made

LOGIN = Login(Path(), Credentials(Variables()))
TEXT = st.text(st.characters(exclude_categories=[]), max_size=40)
READABLE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
VALUES = st.recursive(
    st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)


def encodable(value: Any) -> Any:
    if isinstance(value, dict):
        return {encodable(key): encodable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return list(map(encodable, value))
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if isinstance(value, str) else value


@settings(deadline=None)
@given(TEXT, TEXT, TEXT, st.dictionaries(READABLE, VALUES, max_size=4), TEXT)
@example('"""\n[x]', "\x7f\u2028\x00\r\n", "# ]", {"a.b": "\\", '"': {}}, "\n[[checks]]")
def test_the_toml_is_never_broken(name: str, place: str, note: str, table: dict[str, Any], source: str) -> None:
    draft = Draft(place, {"name": name, "headers": table, "body": note, "json": table}, [Note(Kind.LOST, place, note)])
    imported = ImportResult("a product", [source], [note], [draft], [Note(Kind.LOST, place, note)])
    (check,) = tomllib.loads(written(imported).encode().decode())["checks"]
    assert check["json"] == encodable(table)
    if not any("\ud800" <= letter <= "\udfff" for letter in name + note):
        assert (check["name"], check["body"]) == (name, note)


CONDITIONS = READABLE | READABLE.map("[BODY].{} == 1".format) | READABLE.map("[STATUS] == pat({})".format)
CLIENT_KEYS = st.sampled_from(["timeout", "proxy-url", "dns-resolver", "tls", "x"])
PAIRS = st.dictionaries(READABLE, READABLE, max_size=2)
ENDPOINTS = st.fixed_dictionaries(
    {},
    optional={
        "name": READABLE,
        "group": READABLE,
        "method": READABLE,
        "body": READABLE,
        "url": READABLE | READABLE.map("https://{}".format) | READABLE.map("http://a.example.com/{}".format),
        "interval": st.sampled_from(["1s", "0.05s", "x", "9999999h", ""]),
        "headers": PAIRS,
        "extra-labels": PAIRS,
        "conditions": st.lists(CONDITIONS),
        "client": st.dictionaries(CLIENT_KEYS, READABLE),
        "graphql": st.booleans(),
        "alerts": st.just([{"failure-threshold": -1}]),
    },
)
COLUMNS = """id name url interval timeout maxretries accepted_statuscodes headers body method authMethod basic_auth_user
    basic_auth_pass keyword jsonPath expectedValue jsonPathOperator proxyId parent tags maxredirects description
    other"""
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | READABLE
ROWS = st.dictionaries(st.sampled_from(COLUMNS.split()), SCALARS | st.lists(READABLE, max_size=2))


@given(ENDPOINTS)
def test_whatever_an_endpoint_says_the_new_file_is_valid(endpoint: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "gatus.yml")
        path.write_text(yaml.safe_dump({"endpoints": [endpoint, {"name": "x", "url": "http://a.example.com"}]}))
        assert "x" in made(gatus.read(path), Path(directory)).text


@given(ROWS, st.sampled_from(["http", "keyword", "json-query"]))
def test_whatever_a_monitor_says_the_new_file_is_valid(row: dict[str, Any], kind: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "backup.json")
        path.write_text(json.dumps({"monitorList": [{"url": "https://a.example.com"} | row | {"type": kind}]}))
        made(uptime_kuma.read(path), Path(directory))


MODULES = st.dictionaries(
    st.sampled_from([*HTTP, *LOGIN.headers(), *LOGIN.handlers()]), VALUES.map(encodable), max_size=5
)


@given(MODULES, READABLE, PAIRS)
def test_whatever_a_module_says_the_new_file_is_valid(
    http: dict[str, Any], target: str, labels: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as directory:
        modules, targets = Path(directory, "blackbox.yml"), Path(directory, "prometheus.yml")
        modules.write_text(yaml.safe_dump({"modules": {"m": {"prober": "http", "http": http}}}))
        groups = [{"targets": [target, "https://a.example.com"], "labels": labels}]
        rules = [{"source_labels": ["__address__"], "target_label": "__param_target"}]
        job = {"params": {"module": ["m"]}, "static_configs": groups, "relabel_configs": rules}
        targets.write_text(yaml.safe_dump({"scrape_configs": [job]}))
        made(blackbox.read(modules, [targets]), Path(directory))


@settings(deadline=None)
@given(TEXT)
def test_names_are_valid(text: str) -> None:
    assert is_name(check_name(text))
    assert label(label_name(text))


@given(READABLE)
@example("[BODY] == pat([)")
@example("[BODY].a[99999999999999] == 1")
@example("len([BODY]) == 0")
def test_any_condition_is_carried_over_or_listed(text: str) -> None:
    for condition in (
        text,
        f"[STATUS] == {text}",
        f"[BODY] == pat({text})",
        f"[BODY]{text} < 5",
        f"len([BODY]{text}) == 1",
    ):
        draft = Draft("here", {"name": "a", "url": "http://a.example.com"})
        conditions = Conditions(draft)
        conditions.add("here", condition)
        conditions.finish("here")
        assert len(vetted(ImportResult("", [], [], [draft])).drafts) == 1


def test_a_mapping_merged_into_itself_many_times_costs_nothing(tmp_path: Path) -> None:
    levels = "".join(f"x-{n}: &l{n}\n  <<: [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 40))
    text = f"x-0: &l0 {{interval: 5s}}\n{levels}endpoints:\n  - {{name: a, url: 'http://a.example.com', <<: *l39}}\n"
    path = tmp_path / "gatus.yml"
    path.write_text(text)
    assert made(gatus.read(path), tmp_path).checks["a"].interval == 5
