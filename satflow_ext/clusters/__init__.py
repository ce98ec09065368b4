"""Dask clusters of flow runs: watched from inside the run, told to whoever runs on the same machine."""
