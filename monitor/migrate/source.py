"""Foreign files as trees that know the line of everything in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import yaml

from monitor.errors import ForeignFileError

LARGEST = 256 << 20
"""No configuration is larger; a database may be."""

_TRUE = {"true", "yes", "on", "y"}
_FALSE = {"false", "no", "off", "n"}
_NULL = {"", "~", "null", "Null", "NULL"}


class WrongShape(Exception):
    """A value is of another type than its key takes; the text is a sentence that goes on after the key."""

    def __init__(self, item: Item, message: str) -> None:
        super().__init__(message)
        self.place = item.place
        self.message = f"{item.path}: {message}" if item.path else message


class Item:
    """One value of a YAML or JSON file, read as what is asked of it: YAML's own guesses at types differ by version."""

    def __init__(self, node: yaml.Node, file: str, path: str = "", line: int | None = None) -> None:
        self._node = node
        self.file = file
        self.path = path
        self.line = node.start_mark.line + 1 if line is None else line

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return f"{self.file}:{self.line}"

    @property
    def empty(self) -> bool:
        """Whether nothing stands there."""
        node = self._node
        return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULL

    def text(self) -> str:
        """A single value, as it is written."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise WrongShape(self, "must be a single value")
        return "" if self.empty else str(self._node.value)

    def boolean(self) -> bool:
        """True or false, in any spelling that YAML knows."""
        word = self.text().lower()
        if word not in _TRUE | _FALSE:
            raise WrongShape(self, "must be true or false")
        return word in _TRUE

    def integer(self) -> int:
        """A whole number."""
        try:
            return int(self.text()[:20])
        except ValueError:
            raise WrongShape(self, "must be a whole number") from None

    def items(self) -> list[Item]:
        """The values of a list."""
        if self.empty:
            return []
        if not isinstance(self._node, yaml.SequenceNode):
            raise WrongShape(self, "must be a list")
        return [Item(node, self.file, f"{self.path}[{n}]") for n, node in enumerate(self._node.value)]

    def texts(self) -> list[str]:
        """The texts of a list, or one text alone."""
        if isinstance(self._node, yaml.ScalarNode):
            return [] if self.empty else [self.text()]
        return [item.text() for item in self.items()]

    def entries(self) -> dict[str, Item]:
        """The values of a mapping, those of merged ones (`<<`) too; a key's line is the line of its value."""
        if self.empty:
            return {}
        if not isinstance(self._node, yaml.MappingNode):
            raise WrongShape(self, "must be a mapping")
        return dict(self._entries(self._node, set()))

    def _entries(self, node: yaml.MappingNode, seen: set[int]) -> Iterator[tuple[str, Item]]:
        """Merged ones first, each once: a file may merge a mapping into itself, or a thousand times."""
        seen.add(id(node))
        for key, value in node.value:
            if key.value == "<<":
                merged = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for each in merged:
                    if isinstance(each, yaml.MappingNode) and id(each) not in seen:
                        yield from self._entries(each, seen)
        for key, value in node.value:
            name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            if name != "<<":
                path = f"{self.path}.{name}" if self.path else name
                yield name, Item(value, self.file, path, key.start_mark.line + 1)

    def get(self, *path: str) -> Item | None:
        """The value below these keys, if it is there and not empty."""
        here: Item | None = self
        for key in path:
            here = here.entries().get(key) if here else None
        return None if here is None or here.empty else here


def read(path: Path) -> str:
    """The text of a file; raises `ForeignFileError`."""
    try:
        if path.stat().st_size > LARGEST:
            raise ForeignFileError(f"{path}: is larger than 256 MiB, and no configuration")
        content = path.read_bytes()
    except FileNotFoundError:
        raise ForeignFileError(f"{path}: cannot be read: there is no such file") from None
    except (OSError, ValueError) as error:
        why = (isinstance(error, OSError) and error.strerror) or "the path is not valid"
        raise ForeignFileError(f"{path}: cannot be read: {why[0].lower()}{why[1:]}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise ForeignFileError(f"{path}:{line}:{column}: is not UTF-8 text") from None


def load(path: Path) -> Item:
    """The one document in a YAML or JSON file; raises `ForeignFileError` with line and column."""
    text = read(path)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ForeignFileError(f"{where}: is not valid YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ForeignFileError(f"{path}:{line}: has a character in it that YAML does not allow") from None
    except RecursionError:
        raise ForeignFileError(f"{path}: is nested too deeply") from None
    if node is None:
        raise ForeignFileError(f"{path}: is empty")
    return Item(node, str(path))
