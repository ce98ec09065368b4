"""The pages of the documentation, compared with the code that they describe."""

from __future__ import annotations

import ast
import contextlib
import inspect
import json
import re
import shlex
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest
from IPython.core.inputtransformer2 import TransformerManager

import satflow_ext
from satflow_ext.arguments import Parser
from satflow_ext.choices.register_line import parse_line
from satflow_ext.cli import COMMANDS, import_command
from satflow_ext.executors import find_executor
from satflow_ext.settings import load_settings

ROOT = Path(__file__).parents[1]
PAGES = [
    path
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
    if path.name
    not in ("CHANGELOG.md", "migrating-from-prefect-saturn.md")  # which has code of prefect-saturn and its own test
]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text()
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```", re.DOTALL | re.MULTILINE)


class Snippet(NamedTuple):
    """A piece of code of a page. `is_whole`: a command with all of its arguments, as opposed to one that a sentence names."""

    page: str
    text: str
    is_whole: bool = True

    def __str__(self) -> str:
        return f"{self.page}: {self.text.splitlines()[0]}"


def blocks(*languages: str) -> Iterator[Snippet]:
    for path in PAGES:
        for _, language, text in FENCE.findall(path.read_text()):
            if language in languages:
                yield Snippet(path.name, textwrap.dedent(text))


class CommandParser(Parser):
    """A parser that raises its message."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


@contextlib.contextmanager
def allowing_missing_arguments() -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        if "arguments are required" not in str(error):
            raise


def commands() -> Iterator[Snippet]:
    """The commands of blocks and sentences. Words in capital letters are placeholders, in a sentence only."""
    for block in blocks("bash", "console"):
        for line in block.text.splitlines():
            if match := re.search(r"(?:^|\s)(satflow \w.*)", line.removeprefix("$ ").partition(" #")[0]):
                yield Snippet(block.page, match[1].split(" | ")[0].split(" > ")[0].strip())
    for path in PAGES:
        for text in re.findall(r"`(satflow [a-z][^`\n]* [^`\n]*)`", FENCE.sub("", path.read_text())):
            if "…" not in text and "/" not in text.split()[1] and not any(map(str.isupper, text.split())):
                yield Snippet(path.name, text, is_whole=False)


def register_lines() -> Iterator[Snippet]:
    for path in PAGES:
        for text in re.findall(r"(?<!`)%(register_flow [\w-]+ [^`\n]*)", path.read_text()):
            yield Snippet(path.name, text.partition(" # ")[0].removeprefix("register_flow "))


@pytest.mark.parametrize("command", list(commands()), ids=str)
def test_command_is_accepted(command):
    name, *words = shlex.split(command.text)[1:]
    assert name in COMMANDS
    parser = CommandParser(prog=f"satflow {name}")
    import_command(name).configure(parser)
    with contextlib.nullcontext() if command.is_whole else allowing_missing_arguments():
        _, rest = parser.parse_known_args(words)
        assert not rest or name == "register", rest


@pytest.mark.parametrize("line", list(register_lines()), ids=str)
def test_line_of_the_magic_is_accepted(line):
    executor = parse_line(line.text).registration.executor
    find_executor(executor.name).options.model_validate(executor.options)


@pytest.mark.parametrize("block", list(blocks("toml")), ids=str)
def test_settings_are_accepted(block, tmp_path, monkeypatch):
    file = tmp_path / "satflow.toml"
    file.write_text(block.text)
    monkeypatch.setenv("SATFLOW_CONFIG", str(file))
    load_settings()


@pytest.mark.parametrize("block", list(blocks("python")), ids=str)
def test_calls_have_the_arguments_of_the_functions(block):
    tree = ast.parse(TransformerManager().transform_cell(re.sub(r"^%%\w+\n", "", block.text)))
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if name.startswith("satflow_ext.") and name.count(".") == 1:
            signature = inspect.signature(getattr(satflow_ext, name.partition(".")[2]))
            signature.bind(*call.args, **{each.arg: None for each in call.keywords if each.arg})


def test_each_part_of_the_package_is_in_the_architecture():
    parts = {
        path.stem
        for path in (ROOT / "satflow_ext").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    rows = "".join(re.findall(r"^\| (`[^|]+) \|", ARCHITECTURE, re.MULTILINE))
    assert parts - {name.strip("/") for name in re.findall(r"`([\w/]+)`", rows)} == {"__init__"}


def test_files_that_the_architecture_names_exist():
    named = set(re.findall(r"`((?:\w+/)+(?:\w+\.\w+)?|scripts/[\w-]+)`", ARCHITECTURE))
    folders = [ROOT, ROOT / "satflow_ext", ROOT / "src", ROOT / "docs"]
    assert len(named) > 50
    assert [name for name in sorted(named) if not any((folder / name).exists() for folder in folders)] == []


def test_commands_of_the_architecture_are_those_of_the_command_line():
    assert re.search(r"`satflow (up/[^`]*)`", ARCHITECTURE)[1].split("/") == list(COMMANDS)


def test_citation_has_the_version_of_the_package():
    version = json.loads((ROOT / "package.json").read_text())["version"]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()


@cache
def message_texts() -> tuple[str, ...]:
    """All texts of the package, with a `…` for each value that a message contains."""
    return tuple(
        text for file in (ROOT / "satflow_ext").rglob("*.py") for text in texts_of(ast.parse(file.read_text()))
    )


def texts_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def quoted_messages() -> list[str]:
    """The messages that the page quotes, and the reasons why a run is late."""
    quotes = re.findall(r"^ *(?:- )?> (.+)$", TROUBLESHOOTING, re.MULTILINE)
    late = TROUBLESHOOTING.partition("## A run is *Late*")[2].partition("\n## ")[0]
    return quotes + re.findall(r"^\| (.+?) \|", late, re.MULTILINE)[2:]


@pytest.mark.parametrize("message", quoted_messages())
def test_quoted_message_exists(message):
    parts = [part.strip(" .") for part in message.split("…")]
    assert any(all(part in text for part in parts) for text in message_texts()), message
