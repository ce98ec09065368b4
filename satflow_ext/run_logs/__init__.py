"""Log lines of flow runs on this machine: written to files first, uploaded to the Prefect API from there.

A flow run appends each line to a file (`spool`). An uploader sends the lines in bounded batches, and removes a file only when the
Prefect API has every line of it (`upload`). Readers merge both places by the identity of a line (`lines`, `reading`). See
docs/decisions/0028-log-files-and-upload.md.
"""
