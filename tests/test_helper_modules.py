"""What several test modules need is a helper module or a fixture: none imports another test module or a conftest."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "tests" / "kernel" / "corpus"


def imported_modules(source: str) -> Iterator[str]:
    """The modules that a source may import: `from a import b` may mean the module `a.b` as well."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{each.name}" for each in node.names)


def is_for_pytest_only(module: str) -> bool:
    """Tell if it is a test module or a conftest."""
    package, _, last = module.rpartition(".")
    return package.partition(".")[0] in ("", "tests") and (last == "conftest" or last.startswith("test_"))


def test_no_module_imports_a_test_module_or_a_conftest():
    files = [each for folder in ("tests", "ui-tests") for each in (ROOT / folder).rglob("*.py")]
    assert len(files) > 150
    found = {
        f"{file.relative_to(ROOT)}: {module}"
        for file in files
        if NOTEBOOKS not in file.parents
        for module in imported_modules(file.read_text("utf-8"))
        if is_for_pytest_only(module)
    }
    assert not found


def test_such_imports_are_found():
    source = "from tests.conftest import a\nfrom tests import test_b\nimport tests.x.test_c as c\nfrom tests.x import d"
    assert [each for each in imported_modules(source) if is_for_pytest_only(each)] == [
        "tests.conftest",
        "tests.test_b",
        "tests.x.test_c",
    ]
