get_ipython().run_line_magic("load_ext", "satflow_ext")
