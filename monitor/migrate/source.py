"""Foreign files as trees that know the line of everything in them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from monitor.model.errors import ForeignFileError

LARGEST = 256 << 20
"""No configuration is larger; a database may be."""

_TRUE = {"true", "yes", "on", "y"}
_FALSE = {"false", "no", "off", "n"}
_NULL = {"", "~", "null", "Null", "NULL"}

_NO_YAML = re.compile(r"\\.|\t", re.DOTALL)
_AS_YAML = {"\t": " ", "\\/": "/"}
"""JSON that is no YAML to PyYAML; inside of strings JSON has no tabs."""


class WrongShape(Exception):
    """A value is of another type than its key takes; the text is a sentence that goes on after the key."""

    def __init__(self, item: Item, message: str) -> None:
        super().__init__(message)
        self.place = item.place
        self.message = f"{item.path}: {message}" if item.path else message


class UnreadableText(ForeignFileError):
    """A text is no YAML; `place` says where, `sentence` why."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place}: {sentence}")
        self.place = place
        self.sentence = sentence


class Item:
    """One value of a YAML or JSON file, read as the requested type: YAML's own guesses of types differ by version."""

    def __init__(self, node: yaml.Node, file: str, path: str = "", line: int | None = None, above: int = 0) -> None:
        self._node = node
        self._above = above
        self.file = file
        self.path = path
        self.line = above + node.start_mark.line + 1 if line is None else line

    @property
    def place(self) -> str:
        """`FILE:LINE`."""
        return f"{self.file}:{self.line}"

    @property
    def empty(self) -> bool:
        """True if the value is missing or null."""
        node = self._node
        return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULL

    def anew(self) -> Item:
        """The same value, as that at which paths begin."""
        return Item(self._node, self.file, "", self.line, self._above)

    @property
    def content_line(self) -> int:
        """The line at which the text of a block (`|` and `>`) begins; of any other value its own line."""
        block = isinstance(self._node, yaml.ScalarNode) and self._node.style in ("|", ">")
        return self._above + self._node.start_mark.line + (2 if block else 1)

    @property
    def is_mapping(self) -> bool:
        """True if the value is a mapping."""
        return isinstance(self._node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """True if the value is a list."""
        return isinstance(self._node, yaml.SequenceNode)

    def text(self) -> str:
        """A single value, as it is written."""
        if not isinstance(self._node, yaml.ScalarNode):
            raise WrongShape(self, "must be a single value")
        return "" if self.empty else _whole(self._node.value)

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
        return [
            Item(node, self.file, f"{self.path}[{n}]", above=self._above) for n, node in enumerate(self._node.value)
        ]

    def texts(self) -> list[str]:
        """The texts of a list, or one text alone."""
        if isinstance(self._node, yaml.ScalarNode):
            return [] if self.empty else [self.text()]
        return [item.text() for item in self.items()]

    def entries(self) -> dict[str, Item]:
        """The values of a mapping, then those merged into it (`<<`); a key's line is that of the key."""
        found: dict[str, Item] = {}
        if not self.empty:
            if not isinstance(self._node, yaml.MappingNode):
                raise WrongShape(self, "must be a mapping")
            self._gather(self._node, found, set())
        return found

    def _gather(self, node: yaml.MappingNode, found: dict[str, Item], seen: set[int]) -> None:
        """The first word wins: a mapping's own, then those of the first that it merges.

        Each is looked at once: a file may merge a mapping into itself, or a thousand times.
        """
        seen.add(id(node))
        own: dict[str, Item] = {}
        for key, value in node.value:
            name = _whole(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            path, line = f"{self.path}.{name}" if self.path else name, self._above + key.start_mark.line + 1
            item = Item(value, self.file, path, line, self._above)
            if name in own:
                raise WrongShape(item, f"is there twice, first in line {own[name].line}")
            own[name] = item
        merged = own.pop("<<", None)
        for name, item in own.items():
            found.setdefault(name, item)
        for each in merged.nodes() if merged else []:
            if isinstance(each, yaml.MappingNode) and id(each) not in seen:
                self._gather(each, found, seen)

    def nodes(self) -> list[yaml.Node]:
        """The node, or those of a list."""
        return self._node.value if isinstance(self._node, yaml.SequenceNode) else [self._node]

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


def load(path: Path) -> list[Item]:
    """The documents of a YAML or JSON file, at least one; raises `ForeignFileError`."""
    return parse(read(path), str(path))


def parse(text: str, file: str, above: int = 0) -> list[Item]:
    """The documents of a text, which begins below line `above` of a file; raises `UnreadableText`."""
    if file.endswith(".json") or text.lstrip()[:1] in ("{", "["):
        text = _NO_YAML.sub(lambda match: _AS_YAML.get(match[0], match[0]), text)
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=yaml.SafeLoader) if not _is_empty(node)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{above + mark.line + 1}:{mark.column + 1}" if mark else file
        raise UnreadableText(where, f"is not valid YAML: {error.problem or error.context}") from None
    except yaml.reader.ReaderError as error:
        line = above + text.count("\n", 0, error.position) + 1
        raise UnreadableText(f"{file}:{line}", "has a character in it that YAML does not allow") from None
    except (ValueError, OverflowError):
        raise UnreadableText(file, "has an escape in it that stands for no character") from None
    except RecursionError:
        raise UnreadableText(file, "is nested too deeply") from None
    if not nodes:
        raise UnreadableText(file, "is empty")
    return [Item(node, file, above=above) for node in nodes]


def _is_empty(node: yaml.Node | None) -> bool:
    """True for what stands between two `---` if that is nothing, or comments alone."""
    return node is None or (isinstance(node, yaml.ScalarNode) and node.style is None and node.value == "")


def _whole(text: str) -> str:
    """Both halves of a surrogate pair, as JSON escapes them, are one character; a half alone is none."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
