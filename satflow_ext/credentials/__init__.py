"""Credentials by name: found where a flow runs, given to it as environment variables, and kept out of what is said of the run."""
