# Functions, classes and modules of installed packages go by name, also through aliases.
# gives: (True, 120, 'abc', 2, 'PosixPath')
# %%
import collections.abc as cabc, concurrent.futures, math, os.path as osp, pathlib, xml.etree.ElementTree as ET
from math import factorial as fact
from prefect import flow
join, Path = osp.join, pathlib.Path
kinds = {"list": list, "iterable": cabc.Iterable, "sqrt": math.sqrt}
# %%
@flow
def main():
    root = ET.fromstring("<a><b/><c/></a>")
    return issubclass(kinds["list"], kinds["iterable"]), fact(5), "".join(["a", "b", "c"]), len(root), type(Path("x")).__name__
