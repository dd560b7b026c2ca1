"""The repository keeps the order it decided on: layers, one reader of the environment, a name for every setting."""

import ast
import re
import subprocess
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from bot.settings import Settings, load

ROOT = Path(__file__).parents[1]
# Where Discord may be known (docs/design.md, decision 7), and where the terminal's colours are.
DISCORD = {"bot.client", "bot.replies", "bot.components", "bot.render"}
TERMINAL = {"bot.__main__", "bot.terminal", "bot.commandline", "bot.conversation", "bot.doctor"}
HEAVY = {
    "tensorflow",
    "keras",
    "gensim",
    "tf2onnx",
    "sklearn",
    "scipy",
    "matplotlib",
    "onnx",
    "pooch",
    "tqdm",
    "jinja2",
}
LEFT_OUT = {
    ".git",
    ".venv",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    "__pycache__",
    "build",
    "dist",
}


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {name_of(path): path for package in ("bot", "training") for path in sorted((ROOT / package).rglob("*.py"))}
BOT = {name: path for name, path in MODULES.items() if name.partition(".")[0] == "bot"}


@cache
def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text(encoding="utf-8"))


def imported(name: str, nodes: Iterator[ast.AST]) -> set[str]:
    """What a module imports, each by its full name: modules, and the names taken from them."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: relative import"
            found.add(node.module or "")
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def everywhere(name: str) -> set[str]:
    return imported(name, ast.walk(tree(name)))


def at_the_top(name: str) -> set[str]:
    """Imports that run with the module, outside of functions."""
    return imported(name, (node for node in outside_functions(tree(name))))


def outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from outside_functions(child)


def packages(name: str) -> set[str]:
    return {one.partition(".")[0] for one in everywhere(name)}


def files() -> list[Path]:
    """What is, or would be, in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT, capture_output=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0 and listed.stdout:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:  # unpacked from an archive
        found = [path for path in ROOT.rglob("*") if not LEFT_OUT & set(path.relative_to(ROOT).parts)]
    return [path for path in found if path.is_file()]


def test_there_is_something_to_look_at() -> None:
    assert {"bot.text", "bot.songfiles.drafts", "bot.locales", "training.lstm"} <= MODULES.keys()
    assert "bot.text" in everywhere("bot.emotion") or "bot" in everywhere("bot.emotion")
    assert ROOT / "pyproject.toml" in files()


@pytest.mark.parametrize("name", BOT)
def test_the_bot_knows_nothing_of_the_training(name: str) -> None:
    assert not packages(name) & {"training", "tests", *HEAVY}


@pytest.mark.parametrize("name", BOT)
def test_discord_is_an_edge(name: str) -> None:
    if name not in DISCORD and not name.startswith("bot.commands"):
        assert "discord" not in packages(name)


@pytest.mark.parametrize("name", BOT)
def test_the_terminal_is_an_edge(name: str) -> None:
    if name not in TERMINAL:
        assert "rich" not in packages(name)


@pytest.mark.parametrize("name", BOT)
def test_only_the_settings_read_the_environment(name: str) -> None:
    if name == "bot.settings":
        return
    assert "dotenv" not in packages(name)
    assert not everywhere(name) & {"os.environ", "os.getenv", "os.environb"}
    read = {
        node.attr
        for node in ast.walk(tree(name))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os"
    }
    assert not read & {"environ", "environb", "getenv"}


def test_the_modules_of_the_bot_import_each_other_in_one_direction() -> None:
    graph = {name: {one for one in at_the_top(name) if one in BOT and one != name} for name in BOT}
    tuple(TopologicalSorter(graph).static_order())  # CycleError names the cycle


def test_the_modules_of_the_training_import_each_other_in_one_direction() -> None:
    training = MODULES.keys() - BOT.keys()
    graph = {name: {one for one in at_the_top(name) if one in training and one != name} for name in training}
    tuple(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    told = ast.get_docstring(tree(name))
    assert told, "has no docstring"
    assert told.partition("\n")[0].endswith("."), "the first line of the docstring is no sentence"


def settings_named() -> dict[str, str]:
    """Field of Settings → the variable its docstring names."""
    (found,) = [
        node for node in ast.walk(tree("bot.settings")) if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    named = {}
    for field, told in zip(found.body, found.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            (variable,) = re.findall(r"\(([A-Z_]+)\)", ast.unparse(told))
            named[field.target.id] = variable
    return named


def test_every_setting_names_its_variable() -> None:
    assert settings_named().keys() == {field.name for field in fields(Settings)}


def test_every_setting_is_in_the_example_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    places = [number for number, line in enumerate(lines) if re.match(r"#? ?[A-Z_]+=", line)]
    assert sorted(lines[number].strip("# ").partition("=")[0] for number in places) == sorted(settings_named().values())
    for number in places:
        assert lines[number].startswith("# "), f"{lines[number]} is set: a copy of the file should change nothing"
        comment = lines[number - 1]
        assert comment.startswith("# ") and "=" not in comment, f"{lines[number]} has no comment"


def test_a_copy_of_the_example_changes_nothing() -> None:
    assert load({}, ROOT / ".env.example") == load({}, ROOT / "no.env")


def test_every_variable_of_the_example_is_read(tmp_path: Path) -> None:
    plain = load({}, tmp_path / "no.env")
    for field, variable in settings_named().items():
        value = {"locale": "en"}.get(field, "/somewhere/else")
        assert getattr(load({variable: value, "LANG": "ko_KR"}, tmp_path / "no.env"), field) != getattr(plain, field)


# Built from parts, or this file would be found.
UNWANTED = (("/", "", "work", "shared"), (".", "pypi", "org"), (".", "pythonhosted", "org"), ("-", "pypi", "more"))


@pytest.mark.parametrize("unwanted", [between.join(parts) for between, *parts in UNWANTED])
def test_nothing_of_the_place_where_it_was_written_is_in_a_file(unwanted: str) -> None:
    found = [str(path.relative_to(ROOT)) for path in files() if unwanted.encode() in path.read_bytes()]
    assert found == []


def test_tests_are_no_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
