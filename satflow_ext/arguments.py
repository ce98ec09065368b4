"""Command-line parsers that reject abbreviated and repeated options, and keep unknown options with their values."""

from __future__ import annotations

import argparse
import sys
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

    separates_unknown_options = False
    """True for a parser whose unknown options are those of an executor, each with a value."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"allow_abbrev": False, **options})
        for name in (None, "store"):
            self.register("action", name, _SingleUseAction)
        self.register("action", "store_true", _SingleUseFlag)

    @property
    def options(self) -> frozenset[str]:
        """The options of this parser."""
        return frozenset(self._option_string_actions)

    def parse_known_args(self, args: Sequence[str] | None = None, namespace: Any = None) -> tuple[Any, list[str]]:  # type: ignore[override]  # argparse has overloads
        """Parse the arguments that this parser knows.

        Args:
            args: the arguments.
            namespace: receives the values; None for a new one.

        Returns:
            The values, and the remaining arguments. A parser that separates unknown options returns each of them with its value
            as one argument, `--n-workers=2`; with argparse alone, the value would become a positional argument.
        """
        if not self.separates_unknown_options:
            return super().parse_known_args(args, namespace)
        known, unknown = self._separate_unknown(sys.argv[1:] if args is None else list(args))
        values, rest = super().parse_known_args(known, namespace)
        return values, [*rest, *unknown]

    def _separate_unknown(self, words: list[str]) -> tuple[list[str], list[str]]:
        known: list[str] = []
        unknown: list[str] = []
        while words:
            word = words.pop(0)
            name, equals, _ = word.partition("=")
            action = self._option_string_actions.get(name)
            if not word.startswith("-"):
                known.append(word)
                continue
            takes_value = not equals and (action is None or action.nargs != 0)
            if takes_value and words and not words[0].startswith("--"):
                word = f"{name}={words.pop(0)}"
            (unknown if action is None else known).append(word)
        return known, unknown
