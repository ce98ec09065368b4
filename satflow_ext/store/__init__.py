"""The built-in store: a separate process that serves contents by their digest over HTTP.

    PUT  /contents/sha256:…   201 created, 200 already exists
    GET  /contents/sha256:…   the content
    HEAD /contents/sha256:…   its size

Every request must have `Authorization: Bearer …`; cookies are ignored. An upload is confirmed only when the content would survive
a power failure.
"""
