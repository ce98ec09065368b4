"""Code that runs in the notebook kernel: flow discovery, packing and magics.

A kernel imports only `attach` when it starts, which imports only the standard library.
"""
