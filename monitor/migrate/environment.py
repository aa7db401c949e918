"""Variables of the environment in the texts of Gatus, which it fills in wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from monitor.migrate.credentials import Credentials
from monitor.migrate.draft import Draft, Variable
from monitor.migrate.names import Variables
from monitor.migrate.source import Item

_NAMED = r"\$(?:\{(\w+)([:=?+-][^}]*)?\}|([A-Za-z_]\w*))"
_VARIABLE = re.compile(_NAMED, re.ASCII)
_TOKEN = re.compile(rf"\$\$|{_NAMED}", re.ASCII)
"""`$$` is a dollar to Gatus. It fills in no defaults; `${NAME:-default}` is for programs that run before it."""
_BEARER = re.compile(rf"(?i:Bearer) +{_NAMED}", re.ASCII)
_SAME = "the variable that Gatus reads there too"


class Environment:
    """Reads texts; variables of our own get names that Gatus does not use."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.credentials = Credentials(Variables(name for text in texts for name in names(text)))

    def value(self, draft: Draft, item: Item, what: str, stand_in: str = "stand-in") -> str | Variable:
        """The text, or a variable if Gatus would put variables of the environment into it."""
        text = item.text()
        whole = _VARIABLE.fullmatch(text)
        if whole and not whole[2]:
            return _same(draft, item, whole, stand_in)
        if names(text):
            meaning = f"the text that stands there, with {', '.join(names(text))} filled in"
            return self.credentials.variable(draft, item.place, what, text, meaning, stand_in=stand_in)
        return literal(text)

    def header(self, draft: Draft, item: Item, name: str) -> None:
        """A header to send."""
        bearer = _BEARER.fullmatch(item.text())
        if name.lower() == "authorization" and bearer and not bearer[2]:
            draft.keys["auth"] = {"bearer": _same(draft, item, bearer, "stand-in")}
            return
        value = self.value(draft, item, name)
        if isinstance(value, str):
            self.credentials.header(draft, item.place, name, value)
        else:
            draft.table("headers")[name] = value


def _same(draft: Draft, item: Item, match: re.Match[str], stand_in: str) -> Variable:
    name = match[1] or match[3]
    draft.secret(item.place, f"{name}: {_SAME}")
    return Variable(name, stand_in)


def names(text: str) -> list[str]:
    """The variables in a text, each once."""
    found = (match[1] or match[3] for match in _TOKEN.finditer(text))
    return list(dict.fromkeys(name for name in found if name))


def literal(text: str) -> str:
    """A text without variables, as Gatus understands it."""
    return text.replace("$$", "$")


def without_variables(text: str) -> str:
    """The text with the names of variables in place of their values, which may be secret."""
    return _TOKEN.sub(lambda match: match[1] or match[3] or "$", text)
