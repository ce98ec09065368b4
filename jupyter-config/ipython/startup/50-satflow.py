# ruff: noqa: D100, F821 - IPython runs this in the user's namespace, where `get_ipython` is; it leaves no name there.
get_ipython().run_line_magic("load_ext", "satflow_ext")
