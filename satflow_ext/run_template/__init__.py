"""Flow runs as forks of a template process, which has already imported what every flow run imports.

A Prefect worker of type `satflow` (`worker`) starts a small process for each run (`start_run`). It asks the template process
(`template`) for a fork, in which the run takes place (`fork`). Where that is not possible, the small process becomes an
ordinary flow run. See docs/decisions/0032.
"""
