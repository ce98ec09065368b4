"""One module for each kind of thing; a handler's verb is a sentence: read, ask, reply."""

from __future__ import annotations
