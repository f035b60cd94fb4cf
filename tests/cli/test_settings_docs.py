"""docs/settings.md names every setting, with its default, and no other."""

import re
from pathlib import Path

from app.settings import FOREIGN, PREFIX, Settings

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text()
ROW = re.compile(r"^\| `(GOODWILL_\w+)` \| (?:`(.*?)`|none) \| (.+) \|$", re.MULTILINE)


def test_every_setting_stands_in_the_docs_with_its_default() -> None:
    documented = {name: default or None for name, default, _ in ROW.findall(PAGE)}
    defaults = {PREFIX + name.upper(): field.default for name, field in Settings.model_fields.items()}

    assert documented == {name: written(value) for name, value in defaults.items()}


def test_the_docs_name_no_other_variable() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}

    assert set(re.findall(r"GOODWILL_[A-Z_]+[A-Z]", PAGE)) == known | set(FOREIGN)


def test_every_setting_says_what_it_is_in_the_code_too() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def written(default: object) -> str | None:
    """A default as an operator writes it."""
    if default is None:
        return None
    return str(default).lower() if isinstance(default, bool) else str(default)
