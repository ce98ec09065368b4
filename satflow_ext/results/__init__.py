"""Results of flow runs: the value that a flow returned, as a document in the store (docs/decisions/0037-results.md).

A flow run writes the document, and the Prefect API receives a reference to it. A kernel or script reads it.
"""
