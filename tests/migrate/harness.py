"""How the tests of the importers make a new file and load it, as `monitor validate` would."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from monitor.config import load
from monitor.migrate.draft import Imported, Kind
from monitor.migrate.vet import vetted
from monitor.migrate.writer import report, variables_of, written
from monitor.spec import CheckSpec

FILES = Path(__file__).parent / "files"


@dataclass(frozen=True)
class Made:
    """A new file: its text, its checks by name, and what was not carried over."""

    text: str
    checks: dict[str, CheckSpec]
    lost: list[str]
    imported: Imported

    def block(self, name: str) -> str:
        """The part of the text that is about one check, with its comments."""
        return next(part for part in self.text.split("\n\n") if f'\nname = "{name}"\n' in part)


def made(imported: Imported, directory: Path, **environment: str) -> Made:
    """The new file, loaded with every variable set that it asks for, and with none other."""
    text = written(vetted(imported))
    path = directory / "checks.toml"
    path.write_bytes(text.encode())
    variables = {v.name: v.stand_in for draft in imported.drafts for v in variables_of(draft.keys)}
    assert set(re.findall(r'\{ env = "(\w+)" \}', text)) == set(variables)
    checks = {spec.name: spec for spec in load(path, variables | environment).checks}
    assert len(checks) == len(imported.drafts)
    lost = [f"{note.place}: {note.text}" for note in imported.every(Kind.LOST)]
    for note, line in zip(imported.every(Kind.LOST), report(imported.every(Kind.LOST)), strict=True):
        assert line in text or line.removeprefix(report([replace(note, text="")])[0]).strip() in text
    return Made(text, checks, lost, imported)


def yaml_file(path: Path, text: str) -> Path:
    """The text as a file."""
    path.write_text(text)
    return path
