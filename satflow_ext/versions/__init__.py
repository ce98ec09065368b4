"""Versions in the store: contents and manifests, what signs and verifies them, and how they are compared.

A flow run needs this package, and nothing of `deployments` and `registration`.
"""
