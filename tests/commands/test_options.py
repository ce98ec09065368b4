"""Options of the command line and of the magics, read without a stack."""

from __future__ import annotations

import argparse

import pytest

from satflow_ext.arguments import Parser
from satflow_ext.commands import choices, register
from satflow_ext.errors import BadRequest
from satflow_ext.kernel.options import read


def parsed(*words: str) -> tuple[argparse.Namespace, list[str]]:
    """Read the words after `satflow register`."""
    parser = Parser()
    register.configure(parser.add_subparsers().add_parser("register"))
    return parser.parse_known_args(["register", "flows.ipynb", *words])


@pytest.mark.parametrize("option", ["--n", "--exec", "--time", "--over"])
def test_options_are_not_completed(option):
    args, rest = parsed(option, "2")
    assert (args.name, args.executor, args.timezone, args.overwrite) == (None, "flow", "UTC", False)
    assert rest == [option, "2"]


@pytest.mark.parametrize(
    "words",
    [
        ["--cron", "0 6 * * *", "--cron", "0 7 * * *"],
        ["--name", "a", "--name", "a"],
        ["--timezone", "UTC", "--timezone", "Europe/Berlin"],
        ["--overwrite", "--overwrite"],
    ],
)
def test_second_value_is_refused_by_both(words, capsys):
    with pytest.raises(SystemExit):
        parsed(*words)
    assert f"{words[0]} is given twice" in capsys.readouterr().err
    with pytest.raises(BadRequest, match=f"{words[0]} is given twice"):
        read("main " + " ".join(f"'{word}'" for word in words))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--executer", "threads"], "There is no option --executer. Did you mean --executor?"),
        (["-x"], "There is no option -x. Options start with two dashes."),
        (["--n-workers", "2", "--n-workers", "3"], "--n-workers is given twice. Keep one of them."),
    ],
)
def test_unknown_option_has_the_same_message_in_both(words, message):
    args, rest = parsed(*words)
    with pytest.raises(BadRequest) as of_command:
        choices.registration(args, rest)
    with pytest.raises(BadRequest) as of_magic:
        read("main " + " ".join(words))
    refused = [str(of_command.value), str(of_magic.value)]
    assert refused == [message, message]


def test_a_parser_reads_more_than_once():
    parser = Parser()
    parser.add_argument("--name")
    assert [parser.parse_args(["--name", name]).name for name in "ab"] == ["a", "b"]


def test_lists_take_more_values():
    args, rest = parsed("--tag", "a", "--tag", "b", "--n-workers", "2")
    assert (args.tag, choices.registration(args, rest).executor.options) == (["a", "b"], {"n_workers": 2})


@pytest.mark.parametrize("line", ["-h", "main -h", "--help"])
def test_short_help_is_help(line):
    assert "--help" in read(line).known
