"""Options of the command line and of the magics, read without a stack."""

from __future__ import annotations

import argparse

import pytest

from satflow_ext.arguments import Parser
from satflow_ext.commands import choices, register
from satflow_ext.errors import BadRequest
from satflow_ext.kernel import magic
from satflow_ext.kernel.options import SHARED_OPTIONS, help_text, parse_line, split_line


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
        parse_line("main " + " ".join(f"'{word}'" for word in words))


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
        choices.parse_registration(args, rest)
    with pytest.raises(BadRequest) as of_magic:
        parse_line("main " + " ".join(words))
    refused = [str(of_command.value), str(of_magic.value)]
    assert refused == [message, message]


def test_a_parser_reads_more_than_once():
    parser = Parser()
    parser.add_argument("--name")
    assert [parser.parse_args(["--name", name]).name for name in "ab"] == ["a", "b"]


def test_lists_take_more_values():
    args, rest = parsed("--tag", "a", "--tag", "b", "--n-workers", "2")
    assert (args.tag, choices.parse_registration(args, rest).executor.options) == (["a", "b"], {"n_workers": 2})


@pytest.mark.parametrize("line", ["-h", "main -h", "--help"])
def test_short_help_is_help(line):
    assert "--help" in parse_line(line).options


def test_help_describes_the_shared_options_alike():
    parser = Parser(formatter_class=argparse.RawDescriptionHelpFormatter)
    register.configure(parser)
    of_command, of_magic = (help_entries(text) for text in (parser.format_help(), help_text()))
    assert {option: of_command.get(option) for option in SHARED_OPTIONS} == {
        option: of_magic[option] for option in SHARED_OPTIONS
    }
    assert all(SHARED_OPTIONS[option].purpose.split()[0] in of_magic[option] for option in SHARED_OPTIONS)


def help_entries(text: str) -> dict[str, str]:
    """Split a help text into option → its placeholder and purpose, without line breaks."""
    entries = text.partition("\n\nAnything else")[0].split("\n  --")[1:]
    return {f"--{entry.split()[0]}": " ".join(entry.split()[1:]) for entry in entries}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--name"], "argument --name: expected one argument"),
        (["--interval", "soon"], "argument --interval: 'soon' is not a number of seconds, such as 3600"),
        (["--overwrite=yes"], "argument --overwrite: ignored explicit argument 'yes'"),
        (["--cron", "1", "--cron", "2"], "--cron is given twice"),
    ],
)
def test_a_mistake_in_an_option_has_the_same_message_in_both(words, message, capsys):
    with pytest.raises(SystemExit):
        parsed(*words)
    assert f"error: {message}\n" in capsys.readouterr().err
    with pytest.raises(BadRequest) as of_magic:
        parse_line("main " + " ".join(words))
    assert of_magic.value.message == f"Cannot read the line: {message}."


def test_both_read_the_same_options_alike():
    line = (
        "--name a --executor dask-local --n-workers 2 --interval 60 --timezone Europe/Berlin --param n=3 --param x=-1 "
        "--work-pool pool --image i --cpu 2 --memory 4 --gpus 1 --env A=b --env C=d --job-variable v=1 --tag t --tag u "
        "--environment refuse --missed-runs none --secret KEY --include '*.csv' --overwrite"
    )
    args, rest = parsed(*split_line(line))
    words = parse_line(f"main {line}")
    assert choices.parse_registration(args, rest) == magic.to_registration(words)
    assert (args.overwrite, "--overwrite" in words.options, "--run" in words.options) == (True, True, False)
    assert choices.parse_registration(*parsed()) == magic.to_registration(parse_line("main"))


def test_a_value_of_the_magic_may_begin_with_a_dash_and_its_flow_may_come_last():
    words = parse_line("--n-workers 2 --name -x --cpu=-1 main")
    assert (words.flow, words.options) == ("main", {"--name": ["-x"], "--cpu": ["-1"]})
    assert words.executor_options == {"n_workers": 2}
