"""docs/settings.md names every setting, with its default and what it may be; the README's short table agrees."""

from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from chat_mvp.settings import PREFIX, Settings
from tests.unit.docs.pages import DOCS, ROOT, codes, section, table

PAGE = (DOCS / "settings.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
DATA_DIR = "`~/.local/share/chat-mvp`"


def default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return DATA_DIR
    if field.default is None or field.default == ():
        return "none"
    return f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"


def allowed(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "`true`, `false`"
    bounds = {name: getattr(it, name) for it in field.metadata for name in ("ge", "gt", "le") if hasattr(it, name)}
    if "le" in bounds:
        return f"{bounds['ge']:,} to {bounds['le']:,}" if "ge" in bounds else f"above 0, to {bounds['le']:,}"
    return f"{bounds['ge']:,} or more" if "ge" in bounds else ""


def described(name: str, field: FieldInfo) -> list[str]:
    return [f"`{name.upper()}`", default(field), allowed(field), field.description or ""]


def test_every_setting_is_in_the_table_as_it_is() -> None:
    rows = table(section(PAGE, "All of them"))
    assert rows == [described(name, field) for name, field in Settings.model_fields.items()]


def test_the_default_directory_is_the_one_that_is_named(monkeypatch: Any) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert f"`{Settings().data_dir}`" == DATA_DIR.replace("~", str(Path.home()))


def test_the_example_file_can_be_read(tmp_path: Path) -> None:
    from chat_mvp.settings import FILE_NAME, load_settings  # noqa: PLC0415 - beside what it is about
    from tests.unit.docs.pages import blocks  # noqa: PLC0415

    example = next(block.text for block in blocks(PAGE) if block.language == "toml")
    (tmp_path / FILE_NAME).write_text(example, encoding="utf-8")
    loaded = load_settings({"data_dir": str(tmp_path)}, environ={})
    named = [line.partition(" = ")[0] for line in example.splitlines() if " = " in line]
    assert [name for name, source in loaded.sources.items() if source.startswith("file")] == sorted(
        named, key=list(Settings.model_fields).index
    )


def test_the_readme_names_settings_that_exist_with_their_defaults() -> None:
    fields = {f"{PREFIX}{name.upper()}": field for name, field in Settings.model_fields.items()}
    rows = table(section(README, "Settings"))
    assert len(rows) >= 5
    for name, said, _ in rows:
        assert said == default(fields[codes(name)[0]]), name
