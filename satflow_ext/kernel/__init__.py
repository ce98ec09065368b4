"""The part that runs in the notebook kernel: which flows live here, packing one, magics.

Nothing here is imported when a kernel starts except `attach`, which imports only the standard library.
"""
