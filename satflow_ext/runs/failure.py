"""The cause of a run's failure, read from its log and never from its result, which is a pickle."""

from __future__ import annotations

from collections.abc import Sequence

from satflow_ext.models import Failure

TRACEBACK_HEADER = "Traceback (most recent call last)"
PREFECT_PREFIX = "Flow run encountered an exception: "
MAX_CAUSE_LENGTH = 1_000
"""Maximum number of characters of a cause."""


def find_failure(newest_errors_first: Sequence[str], state_message: str | None) -> Failure:
    """Extract the failure of a run.

    Args:
        newest_errors_first: messages of the run's log with level ERROR and above.
        state_message: the message of its final state.
    """
    for message in newest_errors_first:
        if TRACEBACK_HEADER in message:
            traceback = message[message.index(TRACEBACK_HEADER) :]
            return Failure(cause=_extract_cause(traceback), traceback=traceback)
    said = (state_message or next(iter(newest_errors_first), "")).removeprefix(PREFECT_PREFIX)
    return Failure(cause=(said or "The run ended without a reason.")[:MAX_CAUSE_LENGTH], traceback=None)


def _extract_cause(traceback: str) -> str:
    """Return the exception's own text, which follows the frames of the last traceback of a chain."""
    frames_and_cause = traceback[traceback.rindex(TRACEBACK_HEADER) :].splitlines()[1:]
    for at, line in enumerate(frames_and_cause):
        if line and not line.startswith((" ", "\t")):
            return "\n".join(frames_and_cause[at:]).strip()[:MAX_CAUSE_LENGTH]
    return traceback.strip().splitlines()[-1][:MAX_CAUSE_LENGTH]
