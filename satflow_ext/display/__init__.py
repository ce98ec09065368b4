"""Texts and tables that a kernel and the command line show: reports, results, sizes."""
