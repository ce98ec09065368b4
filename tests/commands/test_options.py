"""Options of the command line and of the magics, read without a stack."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest

from satflow_ext.arguments import Parser
from satflow_ext.choices import list_options, parse_registration, parser, split_line, table
from satflow_ext.choices.register_line import build_parser, parse_line
from satflow_ext.commands import register
from satflow_ext.errors import BadRequest
from satflow_ext.kernel.magics import complete_line
from satflow_ext.models import FormInput, Option, Registration, WrittenRegistration
from scripts.form_options import render_form_options


def parsed(*words: str) -> tuple[argparse.Namespace, list[str]]:
    """Read the words after `satflow register`."""
    parser = Parser()
    register.configure(parser.add_subparsers().add_parser("register"))
    return parser.parse_known_args(["register", "flows.ipynb", *words])


def registration(*words: str) -> WrittenRegistration:
    """The registration of the words after `satflow register`."""
    args, rest = parsed(*words)
    return parse_registration(args, rest, args.known_options)


@pytest.mark.parametrize("option", ["--n", "--exec", "--time", "--over"])
def test_options_are_not_completed(option):
    args, rest = parsed(option, "2")
    assert (args.name, args.executor, args.timezone, args.overwrite) == (None, None, None, False)
    assert rest == [f"{option}=2"]


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
    with pytest.raises(BadRequest) as of_command:
        registration(*words)
    with pytest.raises(BadRequest) as of_magic:
        parse_line("main " + " ".join(words))
    refused = [str(of_command.value), str(of_magic.value)]
    assert refused == [message, message]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--concurrency-limit", "0"], "--concurrency-limit: it must be at least 1."),
        (["--retries", "-1"], "--retries: it must be at least 0."),
        (["--retry-delay", "-0.5"], "--retry-delay: it must be at least 0."),
        (["--retry-delay", "nan"], "--retry-delay: it must be a number."),
        (["--timeout", "0"], "--timeout: it must be more than 0."),
        (["--timeout", "inf"], "--timeout: it must be a number."),
        (["--retries", "1.5"], "--retries: it must be a whole number."),
        (["--retries", "two"], "--retries: it must be a whole number."),
        (["--timeout", "long"], "--timeout: it must be a number."),
        (["--collision-strategy", "skip"], "'skip' is not a collision strategy. Choose one of enqueue, cancel_new."),
    ],
)
def test_values_beyond_their_limits_are_refused_by_both(words, message):
    with pytest.raises(BadRequest) as of_command:
        registration(*words)
    with pytest.raises(BadRequest) as of_magic:
        parse_line("main " + " ".join(words))
    assert [str(of_command.value), str(of_magic.value)] == [message, message]


def test_zero_is_a_value():
    chosen = registration("--retries", "0", "--retry-delay", "0", "--description", "0")
    assert (chosen.retries, chosen.retry_delay, chosen.description) == (0, 0.0, "0")


def test_a_parser_reads_more_than_once():
    parser = Parser()
    parser.add_argument("--name")
    assert [parser.parse_args(["--name", name]).name for name in "ab"] == ["a", "b"]


def test_lists_take_more_values():
    chosen = registration("--tag", "a", "--tag", "b", "--n-workers", "2")
    assert (chosen.tags, chosen.executor.options) == (("a", "b"), {"n_workers": 2})


@pytest.mark.parametrize("words", [["--n-workers", "2", "flows.ipynb"], ["flows.ipynb", "--n-workers", "2"]])
def test_a_value_of_the_executor_is_not_the_path(words):
    parser = Parser()
    register.configure(parser)
    args, rest = parser.parse_known_args(words)
    assert (args.path, rest) == ("flows.ipynb", ["--n-workers=2"])


@pytest.mark.parametrize("line", ["-h", "main -h", "--help"])
def test_short_help_is_help(line):
    assert parse_line(line).help


def test_help_describes_the_shared_options_alike():
    parser = Parser(formatter_class=argparse.RawDescriptionHelpFormatter)
    register.configure(parser)
    of_command, of_magic = (help_entries(text) for text in (parser.format_help(), build_parser().format_help()))
    options = list_options()
    assert {each.flag: of_command.get(each.flag) for each in options} == {
        each.flag: of_magic[each.flag] for each in options
    }
    assert all(each.purpose.split()[0] in of_magic[each.flag] for each in options)


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
    args, _ = parsed(*split_line(line))
    words = parse_line(f"main {line}")
    assert registration(*split_line(line)) == words.registration
    assert (args.overwrite, words.overwrite, words.run) == (True, True, False)
    assert registration() == parse_line("main").registration == WrittenRegistration()


def test_a_value_of_the_magic_may_begin_with_a_dash_and_its_flow_may_come_last():
    words = parse_line("--n-workers 2 --name -x main")
    assert (words.flow, words.registration.name) == ("main", "-x")
    assert words.registration.executor.options == {"n_workers": 2}


class Extended(Registration):
    """A registration with one more option of each kind."""

    owner: Annotated[
        str | None, Option("--owner", "NAME", "the owner of the deployment", "an owner", FormInput("Owner"))
    ] = None
    max_retries: Annotated[
        int, Option("--max-retries", "NUMBER", "the number of retries", "a number", FormInput("Retries", position=7))
    ] = 0
    is_urgent: Annotated[
        bool, Option("--urgent", "BOOLEAN", "start first", "true or false", FormInput("Urgent", is_advanced=False))
    ] = False
    reviewers: Annotated[
        tuple[str, ...], Option("--reviewer", "NAME", "a reviewer", "a name", FormInput("Reviewers", "One per line."))
    ] = ()
    level: Annotated[
        Literal["low", "high"],
        Option("--level", "LEVEL", "the level", "a level", FormInput("Level", value_hints=("slow.", "fast."))),
    ] = "low"
    hidden: Annotated[str, Option("--hidden", "TEXT", "an option without an input", "a text")] = ""


class WrittenExtended(Extended, WrittenRegistration):
    """The same with parameters as text."""


@pytest.fixture
def more_options(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Add the options of `Extended` to those of a registration."""
    monkeypatch.setattr(table, "Registration", Extended)
    monkeypatch.setattr(parser, "WrittenRegistration", WrittenExtended)
    list_options.cache_clear()
    yield
    list_options.cache_clear()


ALL_GIVEN = "--owner me --max-retries 3 --urgent true --reviewer A --reviewer B --level high --hidden x"


@pytest.mark.usefixtures("more_options")
def test_a_new_option_is_an_option_of_the_command_and_of_the_magic():
    expected = WrittenExtended(
        owner="me", max_retries=3, is_urgent=True, reviewers=("A", "B"), level="high", hidden="x"
    )
    assert registration(*split_line(ALL_GIVEN)) == parse_line(f"main {ALL_GIVEN}").registration == expected
    assert registration() == WrittenExtended()
    with pytest.raises(BadRequest, match=r"'lo' is not a level\. Choose one of low, high"):
        registration("--level", "lo")


@pytest.mark.usefixtures("more_options")
def test_a_new_option_is_in_the_help_and_completed():
    shell = SimpleNamespace(user_ns={})
    assert help_entries(build_parser().format_help())["--reviewer"] == "NAME a reviewer (repeatable)"
    assert complete_line(shell, SimpleNamespace(line="%register_flow --rev", symbol="--rev")) == ["--reviewer"]
    assert complete_line(shell, SimpleNamespace(line="%register_flow --level ", symbol="")) == ["low", "high"]


@pytest.mark.usefixtures("more_options")
def test_a_new_option_with_a_label_is_in_the_form():
    text = " ".join(render_form_options().split())
    for kind, entry in {
        "text": '"owner", flag: "--owner", kind: "text", default: null, isAdvanced: true, position: 100',
        "number": '"max_retries", flag: "--max-retries", kind: "number", default: 0, isAdvanced: true, position: 7',
        "boolean": '"is_urgent", flag: "--urgent", kind: "boolean", default: false, isAdvanced: false, position: 100',
        "lines": '"reviewers", flag: "--reviewer", kind: "lines", default: [], isAdvanced: true, position: 100',
        "enumeration": '"level", flag: "--level", kind: "enumeration", default: "low", isAdvanced: true, position: 100',
    }.items():
        assert f"{{field: {entry}, label: trans => trans.__(" in text, kind
    assert 'label: trans => trans.__("Reviewers"), hint: trans => trans.__("One per line.")}' in text
    assert 'values: [{value: "low", label: trans => trans.__("Low:"), hint: trans => trans.__("slow.")}, {' in text
    assert "hidden" not in text
