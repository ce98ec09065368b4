"""Job variables: the settings with which a work pool starts each flow run.

A work pool has a *base job template*: a schema of the variables that a deployment may set, and a job configuration with a
placeholder for each variable. Nothing in this package does I/O.
"""
