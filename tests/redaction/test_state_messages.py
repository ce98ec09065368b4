"""States with any message can be sent."""

from __future__ import annotations

import subprocess
import sys

import pytest

SENDS = """
import json, sys
from prefect.states import Failed
from satflow_ext.redaction.encodable import make_messages_encodable
make_messages_encodable()
make_messages_encodable()
state = Failed(message=json.loads(sys.argv[1]))
json.dumps(state.model_dump(mode="json"), ensure_ascii=False).encode()
print(json.dumps(state.message))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (r'"nul \u0000 end"', r'"nul \\x00 end"'),
        (r'"half \udcff of a pair"', r'"half \\udcff of a pair"'),
        (r'"\ud834\udd1e and ä"', r'"\ud834\udd1e and \u00e4"'),
        ("null", "null"),
    ],
)
def test_any_message_can_be_sent(message, sent):
    done = subprocess.run([sys.executable, "-c", SENDS, message], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == sent
