"""Prefect tasks on Dask workers, at a fraction of the per-task cost of `prefect_dask.DaskTaskRunner`.

Prefect's own runner sends the whole context of the flow run with every task, and every task rebuilds it: settings, flow run,
clients. Here the context is sent once to each Dask worker, which builds it once; a task carries only its own data. In both
cases Prefect's engine runs the task. For reasons and measurements, see docs/decisions/0016-fast-dask-tasks.md.
"""
