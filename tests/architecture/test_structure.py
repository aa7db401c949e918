"""How the code is laid out: floors, one importer of the scheduler, a sentence at the head of every module."""

from __future__ import annotations

import ast
import functools
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "monitor"
MODULES = sorted(PACKAGE.rglob("*.py"))
OURS = sorted(p for folder in ("monitor", "tests", "deploy") for p in (ROOT / folder).rglob("*") if p.is_file())
TEXTS = {".py", ".md", ".toml", ".css", ".js", ".html", ".yml", ".yaml", ".ini", ".c", ".service", ".sh", ""}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_imports_only_from_floors_below_its_own() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    config = Path(__file__).with_name("importlinter.ini")
    done = subprocess.run(
        [program, "--config", config, "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_module_opens_with_one_true_sentence() -> None:
    firsts = {name_of(path): (ast.get_docstring(tree(path)) or "").split("\n\n")[0] for path in MODULES}
    assert not {name: text for name, text in firsts.items() if not text.rstrip().endswith((".", ":"))}
    assert not {name: text for name, text in firsts.items() if len(text) >= 400}


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def test_every_public_name_has_a_docstring() -> None:
    assert not {name_of(path): bare for path in MODULES if (bare := undocumented(path))}


def undocumented(path: Path) -> set[str]:
    """The public functions and classes of a module that have no docstring."""
    kinds: tuple[type[ast.stmt], ...] = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if name_of(path) == "monitor/web/api/schemas.py":
        kinds = kinds[:2]  # its classes are what the API publishes; their names and fields are the documentation
    named = [node for node in tree(path).body if isinstance(node, kinds) and not node.name.startswith("_")]
    return {node.name for node in named if not ast.get_docstring(node)}


def test_only_the_schedule_imports_apscheduler() -> None:
    importers = {
        name_of(path)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
        if name.partition(".")[0] == "apscheduler"
    }
    assert importers == {"monitor/scheduling/schedule.py"}


def test_what_lies_around_is_nobodys_drawer() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert not [name_of(p) for p in MODULES if p.stem in drawers]


def test_files_stay_small_enough_to_be_read() -> None:
    long = {name_of(p): n for p in MODULES if (n := len(p.read_text().splitlines())) > 350}
    assert not long


def test_functions_stay_small_enough_to_be_read() -> None:
    """The measure of the code bases that are held up as examples: 35 lines at the ninetieth percentile."""
    lengths = sorted(
        (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[len(lengths) * 9 // 10] <= 35
    assert lengths[-1] <= 80


def test_nothing_is_left_to_do_later() -> None:
    words = ("ODOT", "EMXIF", "KCAH", "X" * 3)  # backwards, or this line would be found
    marks = re.compile(rf"\b(?:{'|'.join(word[::-1] for word in words)})\b")
    left = [
        f"{name_of(path)}:{number}"
        for path in OURS
        if path.suffix in TEXTS and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if marks.search(line)
    ]
    assert not left


def test_versions_agree() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    from monitor import __version__

    assert __version__ == version
    changelog = ROOT / "CHANGELOG.md"
    if changelog.exists():
        headings = re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", changelog.read_text(), re.MULTILINE)
        assert headings, "the changelog has no version"
        assert headings[0] == version


def test_nothing_imports_the_tests() -> None:
    for path in MODULES:
        assert not re.search(r"^\s*(?:from|import) tests\b", path.read_text(), re.MULTILINE), name_of(path)
