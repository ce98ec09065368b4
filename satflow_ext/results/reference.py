"""The reference to a run's result: a label of the flow run in Prefect, which is deleted with the run.

    satflow.result = "none"                   the flow returned None
    satflow.result = "STORE sha256:…"         the store's name, and the digest of the result document
    satflow.result = "not stored: REASON"     the result was not stored

It contains no data of the result: the document has a random field, so that its digest reveals nothing either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from satflow_ext.errors import ContentRefused, ResultMissing

RESULT_LABEL = "satflow.result"
NONE_TEXT = "none"
NOT_STORED_PREFIX = "not stored: "

NOT_STORED_REASONS = {
    "size": "it is larger than `result_limit` allows on the machine of the run",
    "secret": "it contains the value of a secret that the flow declares",
    "pickle": "it cannot be pickled",
    "store": "the store did not accept it",
    "error": "an error occurred",
}
"""Reason → its description. The reason is part of the label, the description of messages."""

_DOCUMENT_PATTERN = re.compile(r"(?P<store>.+) (?P<digest>sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class ResultReference:
    """The location of a result document: a store's name, which settings map to an address, and the document's digest."""

    store: str
    digest: str

    @property
    def label(self) -> str:
        """The value of the label."""
        return f"{self.store} {self.digest}"


def parse_label(labels: Mapping[str, object], run_name: str) -> ResultReference | None:
    """Return the reference in the labels of a completed run, None if the flow returned None.

    Raises:
        ResultMissing: the result was not stored.
        ContentRefused: the label is not one that SatFlow writes.
    """
    label = labels.get(RESULT_LABEL)
    if label is None:
        raise ResultMissing(
            f"Run {run_name} stored no result: results are disabled where it ran, or its environment has an older SatFlow.",
            fix="Check `result_limit` in the settings of the Prefect worker's machine, then run again.",
        )
    if label == NONE_TEXT:
        return None
    if isinstance(label, str) and label.startswith(NOT_STORED_PREFIX):
        reason = NOT_STORED_REASONS.get(label.removeprefix(NOT_STORED_PREFIX), NOT_STORED_REASONS["error"])
        raise ResultMissing(
            f"The result of run {run_name} was not stored: {reason}.", fix="The run's log has the details."
        )
    found = _DOCUMENT_PATTERN.fullmatch(label) if isinstance(label, str) else None
    if found is None:
        raise ContentRefused(
            f"The label {RESULT_LABEL} of run {run_name} is not valid.", fix="Check who can write to the Prefect API."
        )
    return ResultReference(found["store"], found["digest"])
