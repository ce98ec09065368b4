"""Prefect tasks on Dask workers, at a small part of what `prefect_dask.DaskTaskRunner` pays for each.

Prefect's own runner sends the whole context of the flow run with every task, and every task builds it again: settings, flow run,
clients. Here the context travels once to each Dask worker, which builds it once; a task brings only what is its own. The task
itself is run by Prefect's engine in both cases. Why, and in numbers: docs/decisions/0016-fast-dask-tasks.md.
"""
