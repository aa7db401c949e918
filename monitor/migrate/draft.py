"""The shape between a foreign file and checks.toml: drafts of checks, and notes on what did not fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from monitor.migrate.names import label_name, title

Tree = dict[str, Any]

_OF_PROMETHEUS = ("instance", "job")
"""Labels that a scrape sets itself."""


class Kind(Enum):
    """The subject of a note."""

    LOST = "lost"
    """Missing in the new file, or present with another meaning."""
    SECRET = "secret"  # noqa: S105 - the kind of a note
    """A variable to set before the new file is valid."""
    DIFFERS = "differs"
    """Carried over, and worth knowing how."""


@dataclass(frozen=True, slots=True)
class Note:
    """One sentence on one place of a source: «FILE:LINE», or the row of a database."""

    kind: Kind
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """Stands for a string that has to come from the environment; `stand_in` is a value fit for its key."""

    name: str
    stand_in: str = "stand-in"


@dataclass(frozen=True, slots=True)
class FileContent:
    """Stands for a string with the content of a file; `variable` replaces it if the file cannot be read here."""

    path: str
    variable: Variable


@dataclass(slots=True)
class Draft:
    """A check on its way: `keys` as checks.toml has them, with variables and files in the place of strings.

    Its variables are named after its `module`, if it shares their secrets with other checks; `places` has the places of
    keys, where they are known.
    """

    place: str
    keys: Tree
    notes: list[Note] = field(default_factory=list)
    module: str = ""
    places: dict[tuple[str | int, ...], str] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """The name that its variables begin with."""
        return self.module or self.name

    @property
    def name(self) -> str:
        """The name that the check got."""
        return str(self.keys["name"])

    def note(self, kind: Kind, place: str, text: str) -> None:
        """Adds a note, once."""
        made = Note(kind, place, text)
        if made not in self.notes:
            self.notes.append(made)

    def lost(self, place: str, text: str) -> None:
        """Something of the source is not in this check."""
        self.note(Kind.LOST, place, text)

    def differs(self, place: str, text: str) -> None:
        """Something is in this check, in another way."""
        self.note(Kind.DIFFERS, place, text)

    def secret(self, place: str, text: str) -> None:
        """A variable has to be set for this check."""
        self.note(Kind.SECRET, place, text)

    def pause(self, place: str, text: str) -> None:
        """Writes the check with enabled = false: the lost key would make it fail, or reverse its meaning."""
        self.keys["enabled"] = False
        self.lost(place, f"{text}; so the check is written with enabled = false")

    def titled(self, wanted: str) -> None:
        """Keep the name that the other monitor shows, if it is not that of the check."""
        shown = title(wanted)
        if shown and shown != self.name:
            self.keys["title"] = shown
        if len(shown) < len(wanted.strip()) and shown.endswith("…"):
            self.lost(self.place, "its name is longer than 200 characters, and was cut to them")

    def label(self, place: str, name: str, value: Any) -> None:
        """A label; one whose name is taken after cleaning is not lost but gets another."""
        labels, made = self.table("labels"), label_name(name)
        while made in labels:
            made += "_"
        labels[made] = value
        if made != name:
            self.differs(place, f"the label {name} is named {made}")
        if made in _OF_PROMETHEUS:
            self.differs(
                place,
                f"the label {made} is exported_{made} in Prometheus, "
                "unless the job that scrapes this monitor has honor_labels: true",
            )

    def table(self, *path: str) -> Tree:
        """The table at the path, made if it is not there."""
        table = self.keys
        for key in path:
            table = table.setdefault(key, {})
        return table


@dataclass(slots=True)
class Window:
    """A maintenance window on its way: `keys` of [[maintenance]]; `draft` is its only check, None for all checks."""

    place: str
    keys: Tree
    draft: Draft | None = None


@dataclass(slots=True)
class ImportResult:
    """All that a reader found; `notes` are on what belongs to no check that was written."""

    product: str
    sources: list[str]
    differences: list[str]
    drafts: list[Draft] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    maintenance: list[Window] = field(default_factory=list)

    def lost(self, place: str, text: str) -> None:
        """Something of the source is nowhere in the new file."""
        self._note(Kind.LOST, place, text)

    def left_alone(self, place: str, text: str) -> None:
        """Something of the source has nothing to do with checks."""
        self._note(Kind.DIFFERS, place, text)

    def _note(self, kind: Kind, place: str, text: str) -> None:
        made = Note(kind, place, text)
        if made not in self.notes:
            self.notes.append(made)

    def every(self, kind: Kind) -> list[Note]:
        """Every note of this kind, once, in the order of the checks."""
        notes = [note for draft in self.drafts for note in draft.notes] + self.notes
        return list(dict.fromkeys(note for note in notes if note.kind is kind))
