"""Requests to a template process for a fork: a flow run (`start_run`), or a process that a flow run starts (`child_process`).

The template process itself is in `run_template`.
"""
