"""Labels of an ended flow run in Prefect, which are deleted with it: its version, and references to the inputs of failed tasks.

    satflow.version = 3
    satflow.inputs.TASK-RUN-ID = "STORE sha256:…"                          the store's name, and the digest of the document
    satflow.inputs.TASK-RUN-ID = "STORE sha256:… without a:size,b:secret"  the inputs `a` and `b` were not kept
    satflow.inputs.TASK-RUN-ID = "none without a:size"                     no input was kept
    satflow.inputs.TASK-RUN-ID = "none without *:store"                    the document was not stored

They contain no data of the inputs: a document has a random field, so that its digest reveals nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

VERSION_LABEL = "satflow.version"
INPUTS_PREFIX = "satflow.inputs."
NO_DOCUMENT = "none"
ALL_INPUTS = "*"
"""The name for all inputs of a task, which is not a valid parameter name."""
MAX_NAMED = 20
"""Maximum number of inputs that a label names."""

NOT_KEPT_REASONS = {
    "size": "it is larger than `inputs_limit` allows on the machine of the run",
    "secret": "it contains the value of a secret that the flow declares",
    "credential": "it looks like a credential",
    "pickle": "it cannot be pickled",
    "number": "the task has too many inputs",
    "store": "the store did not accept it",
    "error": "an error occurred",
}
"""Reason → its description. The reason is part of the label, the description of messages."""

_PATTERN = re.compile(r"(?:none|(?P<store>.+) (?P<digest>sha256:[0-9a-f]{64}))(?: without (?P<missing>\S+))?")


@dataclass(frozen=True)
class KeptInputs:
    """The reference to the inputs of one failed task run.

    Args:
        store: the name of the store; None if there is no document.
        digest: the digest of the document; None if there is none.
        not_kept: name of an input, or `ALL_INPUTS` → a key of `NOT_KEPT_REASONS`.
    """

    store: str | None
    digest: str | None
    not_kept: Mapping[str, str]

    @property
    def label(self) -> str:
        """The value of the label."""
        named = list(self.not_kept.items())[:MAX_NAMED]
        without = f" without {','.join(f'{name}:{reason}' for name, reason in named)}" if named else ""
        return f"{self.store} {self.digest}{without}" if self.digest else f"{NO_DOCUMENT}{without}"

    def describe_reason(self, name: str) -> str | None:
        """Return why an input was not kept, as the end of a sentence; None if it was."""
        reason = self.not_kept.get(name) or self.not_kept.get(ALL_INPUTS)
        return None if reason is None else NOT_KEPT_REASONS.get(reason, NOT_KEPT_REASONS["error"])


def read_version(labels: Mapping[str, object]) -> int | None:
    """Return the version of a run from its labels; None if it is unknown."""
    version = labels.get(VERSION_LABEL)
    return version if type(version) is int and version > 0 else None


def read_kept_inputs(labels: Mapping[str, object]) -> dict[str, KeptInputs]:
    """Return the references in the labels of a run, by the id of the task run. Other labels are ignored."""
    found = {}
    for name, value in labels.items():
        if name.startswith(INPUTS_PREFIX) and isinstance(value, str) and (match := _PATTERN.fullmatch(value)):
            found[name.removeprefix(INPUTS_PREFIX)] = KeptInputs(
                match["store"], match["digest"], _parse_missing(match["missing"] or "")
            )
    return found


def _parse_missing(text: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in text.split(",") if each)
    return {name: reason for name, _, reason in pairs}
