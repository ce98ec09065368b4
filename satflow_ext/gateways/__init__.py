"""Dask Gateways, and the clusters of theirs that flow runs find, share and leave."""
