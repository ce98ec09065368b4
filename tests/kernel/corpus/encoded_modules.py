# Modules beside the notebook whose sources are not UTF-8, or no Python at all.
# gives: ('¤', 'deep ¤')
# %%
open("signs.py", "wb").write("# coding: latin-1\nSIGN = '\xa4'\n".encode("latin-1"))
import os
os.makedirs("pack", exist_ok=True)
open("pack/__init__.py", "wb").write(b"")
open("pack/deep.py", "wb").write("#!/usr/bin/python\n# -*- coding: latin-1 -*-\nSIGN = 'deep \xa4'\n".encode("latin-1"))
open("pack/template.py", "wb").write(b"class {{ name }}: pass")
open("pack/broken.py", "wb").write(b"x = '\xa4'")
# %%
from prefect import flow
@flow
def main():
    import signs
    from pack import deep
    return signs.SIGN, deep.SIGN
