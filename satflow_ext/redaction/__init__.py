"""Redaction of the data that a flow run sends to the Prefect API: less than Prefect sends, unless configured otherwise.

Traceback lines are source code, an exception's message may contain data, and a nested flow's parameters are data. The complete
list of what Prefect receives, and from which process, is docs/what-prefect-sees.md.
"""
