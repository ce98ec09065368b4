# Type variables, aliases, overloads and casts of the notebook.
# gives: (3, [1, 2], 'a', True)
# %%
import typing
from typing import Any, Callable, Final, Generic, Optional, ParamSpec, TypeAlias, TypeVar, Union, cast, get_type_hints, overload
from prefect import flow, task
K = TypeVar("K", bound="Base")
V = TypeVar("V", covariant=True)
P = ParamSpec("P")
Rows: TypeAlias = "list[dict[str, Any]]"
Number = Union[int, float]
LIMIT: Final = 3
class Base: pass
class Repo(Generic[K, V]):
    def get(self, key: K) -> Optional[V]: return cast(Any, key)
@overload
def first(x: str) -> str: ...
@overload
def first(x: list) -> Any: ...
def first(x): return x[0]
def apply(fn: Callable[P, V], *args: P.args, **kwargs: P.kwargs) -> V: return fn(*args, **kwargs)
# %%
@task
def rows(n: Number = 2) -> Rows: return list(range(1, n + 1))
@flow
def main(limit: Optional[Number] = LIMIT):
    hints = get_type_hints(apply)
    return limit, rows(), apply(first, "abc"), Repo[Base, int]().get(5) == 5 and "fn" in hints
