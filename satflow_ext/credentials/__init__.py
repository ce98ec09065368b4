"""Credentials by name: found where a flow runs, passed to it as environment variables, and redacted in its log and states."""
