"""The targets of a job: written out, or in files of `file_sd_configs`."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from monitor.migrate.draft import ImportResult
from monitor.migrate.relabel import Labels
from monitor.migrate.relabel_rules import said_if_unknown
from monitor.migrate.source import Item, WrongShape, load
from monitor.model.errors import ForeignFileError

Group = tuple[str, Labels]


def groups(listed: Item | None, job: str, imported: ImportResult) -> Iterator[Group]:
    """Every target of a list of groups, with its place and its labels."""
    for group in listed.items() if listed else []:
        try:
            said_if_unknown(group, job, imported, "targets", "labels")
            given, named = group.get("targets"), group.get("labels")
            labels = {name: item.text() for name, item in named.entries().items()} if named else {}
            for target in given.items() if given else []:
                yield target.place, labels | {"__address__": target.text()}
        except WrongShape as wrong:
            imported.lost(wrong.place, wrong.message)


@dataclass(frozen=True, slots=True)
class TargetFiles:
    """Finds the files that a configuration in `directory` names; `beside` are those in the same ConfigMap."""

    directory: Path
    imported: ImportResult
    beside: dict[str, Item]

    def groups(self, listed: Item | None, job: str) -> Iterator[Group]:
        """Every target in the files."""
        for entry in listed.items() if listed else []:
            said_if_unknown(entry, job, self.imported, "files", "refresh_interval", "refreshInterval")
            names = entry.get("files")
            for name in names.items() if names else []:
                yield from self._of(name, job)

    def _of(self, name: Item, job: str) -> Iterator[Group]:
        written = name.text()
        found = self._found(name, job, written)
        for path in found:
            try:
                for document in load(path):
                    yield from groups(document, job, self.imported)
            except (ForeignFileError, WrongShape) as error:
                message = error.message if isinstance(error, WrongShape) else str(error)
                self.imported.lost(name.place, f"job {job}: {message}")
        if found:
            return
        base = PurePosixPath(written).name
        inside = [item for key, item in self.beside.items() if base and fnmatch.fnmatchcase(key, base)]
        for item in inside:
            yield from groups(item, job, self.imported)
        if not inside:
            self.imported.lost(name.place, f"job {job}: there is no file {Path(self.directory, written)}")

    def _found(self, name: Item, job: str, written: str) -> list[Path]:
        """The files where Prometheus looks for them, else beside the configuration: it may have been copied here."""
        found = _matching(Path(self.directory, written))
        parts = [part for part in Path(written).parts if part not in ("/", "..", ".")]
        for number in range(len(parts)):
            if found:
                break
            tail = Path(self.directory, *parts[number:])
            found = _matching(tail)
            if found:
                self.imported.left_alone(name.place, f"job {job}: {written}: is not here; {tail} is read instead")
        return found


def _matching(pattern: Path) -> list[Path]:
    """The files that fit a path whose last part may be a pattern."""
    try:
        return sorted(path for path in pattern.parent.glob(pattern.name) if path.is_file()) if pattern.name else []
    except (ValueError, OSError, NotImplementedError):  # «a**», a name that is too long, a zero byte
        return []
