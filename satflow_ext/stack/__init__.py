"""The local stack: one supervisor a user, and the services it starts when somebody needs them and ends with the last lease.

The supervisor (`python -m satflow_ext.stack`) knows Prefect only by its command line and its REST API, so that it stays
light. Every process it starts carries `SATFLOW_STACK` in its environment and watches a pipe: when the supervisor dies in
any way, the pipe ends and they end each other.
"""
