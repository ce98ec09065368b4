"""What is planted: a text of its own at each place that Prefect might learn from, and what may become known of it.

A canary's name says where it is planted (`notebook.py`, `place.py`). Its fact is the published one (`telling.facts`) that
it is an example of; with none it must never arrive.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping

NEVER = """
comment constant local_variable flow_doc task_doc helper_doc nested_doc default task_default description example extra model_doc
title_doc global_text captured_bytes closure class_attribute module_text module_comment other_cell deleted_cell file_content
file_name notebook_name kernel_environment environment_name distribution git_branch git_author
task_given task_returned flow_returned nested_returned not_logged logged_elsewhere
secret_of_environment secret_of_file worker_environment
store_path store_credential written_file caught
""".split()  # noqa: SIM905

FACTS: dict[str, str] = {
    "flow_name": "name",
    "task_name": "name",
    "nested_name": "name",
    "deployment": "name",
    "tag": "name",
    "task_tag": "name",
    "task_run_name": "name",
    "task_function": "name",
    "task_parameter": "name",
    "flow_run_name": "name",
    "work_pool": "name",
    "job_variable_name": "job variable",
    "job_variable": "job variable",
    "worker": "name",
    "store": "name",
    "flow_version": "flow version",
    "parameter": "parameter schema",
    "model": "parameter schema",
    "model_field": "parameter schema",
    "enum_value": "parameter schema",
    "title": "parameter schema",
    "description": "description",
    "set_when_registered": "parameter value",
    "set_for_the_run": "parameter value",
    "schedule_name": "name",
    "set_for_a_schedule": "parameter value",
    "printed": "log line",
    "logged": "log line",
    "said_state": "state message",
    "artifact": "artifact",
    "artifact_key": "artifact",
    "result_key": "result key",
    "secret_missing": "secret name",
    "secret_of_block_name": "secret name",
    "secret_in_use": "secret name",
    "function": "place in code",
    "module": "place in code",
    "exception_type": "types of exceptions",
    "words": "messages of exceptions",
    "cause_words": "messages of exceptions",
    "exit_words": "messages of exceptions",
    "task_words": "messages of exceptions",
    "timeout_words": "messages of exceptions",
    "raising_line": "lines of code",
    "task_raising_line": "lines of code",
    "nested_given": "arguments of nested flows",
    "nested_default": "arguments of nested flows",
    "cluster_address": "places",
    "store_host": "places",
    "kernel_home": "places",
    "notebook_folder": "places",
    "worker_home": "places, result key",
    "secrets_folder": "places",
}
"""Canary → fact, for those that may become known, some of them only where the user has opted in."""

ANSWERED = ("secret_of_block",)
"""Prefect has it from its user, and answers with it; nothing tells it once more."""

KINDS = (*NEVER, *FACTS, *ANSWERED)

ALPHABET = string.ascii_lowercase + string.digits


class Canaries(Mapping[str, str]):
    """Name → text. Texts are made of letters and digits: they must pass for names, hosts and folders."""

    def __init__(self, stem: str, phase: str) -> None:
        self._texts = {kind: f"{stem}{phase}{number:02}y" for number, kind in enumerate(KINDS)}

    def __getitem__(self, kind: str) -> str:
        return self._texts[kind]

    def __iter__(self):
        return iter(self._texts)

    def __len__(self) -> int:
        return len(self._texts)

    def planted(self, text: str) -> str:
        """A text with each `<<name>>` replaced."""
        for kind, canary in self._texts.items():
            text = text.replace(f"<<{kind}>>", canary)
        assert "<<" not in text, text[text.index("<<") :][:40]
        return text


def stem() -> str:
    """What all canaries of a session begin with: long enough to stand nowhere by chance."""
    return "q" + "".join(secrets.choice(ALPHABET) for _ in range(11))
