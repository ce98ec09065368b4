"""The local stack: one supervisor per user, and the services that it starts on demand and stops with the last lease.

The supervisor (`python -m satflow_ext.stack`) uses Prefect only through its command line and its REST API, so that it stays
light. Every process that it starts has `SATFLOW_STACK` in its environment and watches a pipe: when the supervisor dies for
any reason, the pipe reaches its end, and the processes of the stack end each other.
"""
