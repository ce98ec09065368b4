"""Dask Gateways, and their clusters that flow runs find, share and leave."""
