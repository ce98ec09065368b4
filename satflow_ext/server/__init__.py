"""The Jupyter server extension: request handlers, and the managers that they call.

Importing it loads neither Prefect nor Dask: a Jupyter server imports it at every start, for users who may never open the sidebar.
"""

from __future__ import annotations
