# A notebook class that inherits from a local one, used where the local module checks for it.
# gives: ('csv: a,b', True, ['CsvReader'])
# %%
%%writefile readers.py
import abc
REGISTRY = {}
class Reader(abc.ABC):
    def __init_subclass__(cls): REGISTRY[cls.__name__] = cls
    @abc.abstractmethod
    def read(self): ...
    def show(self): return f"{self.kind}: {self.read()}"
def check(x): return isinstance(x, Reader)
def known(): return list(REGISTRY)
# %%
from readers import Reader, check, known
from prefect import flow
class CsvReader(Reader):
    kind = "csv"
    def read(self): return "a,b"
# %%
@flow
def main(): return CsvReader().show(), check(CsvReader()), known()
