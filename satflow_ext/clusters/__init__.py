"""Status of the Dask clusters of flow runs: sampled in the run and shared with other processes on the same machine."""
