"""Command-line parsers that reject abbreviated and repeated options."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class _SingleUseAction(argparse.Action):
    """An option that may be given once."""

    _seen_namespace: argparse.Namespace | None = None

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        """Set the value, or reject a second one."""
        if option_string is not None and self._seen_namespace is namespace:
            parser.error(f"{option_string} is given twice")
        self._seen_namespace = namespace
        setattr(namespace, self.dest, self.const if self.nargs == 0 else values)


class _SingleUseFlag(_SingleUseAction):
    """A flag that may be given once."""

    def __init__(self, option_strings: Sequence[str], dest: str, **options: Any) -> None:
        super().__init__(option_strings, dest, nargs=0, const=True, **{"default": False, **options})


class Parser(argparse.ArgumentParser):
    """A parser that requires options in full, and only once unless they are lists. Its sub-parsers do the same.

    With argparse's default, `--n 2` for an executor's option `n` would silently become `--name 2`.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **options})
        for name in (None, "store"):
            self.register("action", name, _SingleUseAction)
        self.register("action", "store_true", _SingleUseFlag)
