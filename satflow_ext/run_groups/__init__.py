"""Run groups: runs of one deployment with different parameters, for backfills and sweeps (docs/backfills.md, decisions/0040).

The points of a group are in a database in the state folder, so that they outlive the kernel and the notebook. A process that has
the lock of the group's Prefect API submits a few runs at a time: for the local stack, `python -m satflow_ext.run_groups`; for
another API, the Jupyter server, or the process that waits for the group.
"""
