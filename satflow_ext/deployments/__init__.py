"""Deployments in Prefect: their rows, what users changed in them, the journal of writes, and recovery."""
