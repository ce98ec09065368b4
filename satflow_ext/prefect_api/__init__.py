"""Access to a Prefect API: a client of its REST interface, with SatFlow's credential and errors.

It sends the requests that SatFlow needs and nothing else. Prefect's own client is not used, because its import takes more than
a second, which every command would wait for.
"""

from __future__ import annotations

from satflow_ext.prefect_api.api_errors import parse_id, replace_not_found
from satflow_ext.prefect_api.client import PrefectClient, prefect_client

__all__ = ["PrefectClient", "parse_id", "prefect_client", "replace_not_found"]
