"""Environments: what is installed, how it compares with what a version was registered with, and building that again."""
