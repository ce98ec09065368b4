"""Environments: the installed packages, their comparison with those of a version, and rebuilding its environment."""
