"""An argparse parser for the line of a magic."""

from __future__ import annotations

from typing import NoReturn

from satflow_ext.arguments import Parser
from satflow_ext.errors import BadRequest


class LineParser(Parser):
    """A parser that neither ends the process nor prints."""

    def error(self, message: str) -> NoReturn:
        """Report an error in the line.

        Raises:
            BadRequest: always.
        """
        magic = self.prog.split()[0]
        raise BadRequest(f"Cannot read the line: {message}.", fix=f"See {magic} --help.")
