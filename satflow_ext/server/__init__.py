"""The Jupyter server extension: handlers that read, ask and reply, and the managers that they ask.

Importing it loads neither Prefect nor Dask: a Jupyter server imports it at every start, for users who may never open the sidebar.
"""

from __future__ import annotations
