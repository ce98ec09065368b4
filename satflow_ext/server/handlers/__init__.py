"""The request handlers, one module for each kind of resource. A verb reads the request, calls a manager, and replies."""

from __future__ import annotations
