"""The built-in store: contents by their digest over HTTP, as a process of its own.

    PUT  /contents/sha256:…   201 kept, 200 already there
    GET  /contents/sha256:…   the content
    HEAD /contents/sha256:…   its size

Every request carries `Authorization: Bearer …`; cookies are not looked at. A content is answered for only when it would
survive a power cut.
"""
