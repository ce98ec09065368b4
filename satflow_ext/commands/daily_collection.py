"""`python -m satflow_ext.commands.daily_collection`: collect unused contents of the store, once a day on the local stack."""

from __future__ import annotations

import logging
import os
import sys

from satflow_ext import endpoints
from satflow_ext.commands.store_collect import collect_unused, format_total
from satflow_ext.errors import SatflowError
from satflow_ext.settings import LOCAL, load_settings

NICENESS = 10
"""The process priority: the user's own programs come first."""


def main() -> int:
    """Collect unused contents and log what was removed. Return 1 if the contents in use cannot be determined."""
    os.nice(NICENESS)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = load_settings().model_copy(update={"store": LOCAL})
    record = endpoints.read_record(settings)
    if record is None or record.prefect_url is None:  # Prefect cannot be asked which contents are in use
        return 0
    try:
        done = collect_unused(endpoints.resolve_endpoints(settings, record), settings, dry=False)
    except SatflowError as error:
        logging.warning("%s", error)
        return 1
    if done.removed:
        logging.info("%s, unused for %g days, were removed.", format_total(done.removed), settings.retention_days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
