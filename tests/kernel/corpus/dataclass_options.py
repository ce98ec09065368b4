# Frozen, ordered, keyword-only, nested, inherited dataclasses with class variables and slots.
# gives: ({'p': {'x': 1, 'y': 2, 'z': []}}, [], True, ['x', 'y', 'z'], 3, (5, 6), 'frozen')
# %%
from dataclasses import KW_ONLY, FrozenInstanceError, InitVar, asdict, astuple, dataclass, field, fields, make_dataclass, replace
from typing import ClassVar
from prefect import flow
@dataclass(frozen=True, order=True)
class P:
    x: int
    y: int = 2
    _: KW_ONLY
    z: list = field(default_factory=list, compare=False)
    made: ClassVar[int] = 3
@dataclass
class Q:
    p: P = P(1)
@dataclass(slots=True)
class S(make_dataclass("Base", [("a", int)])):
    b: int = 0
    more: InitVar[int] = 1
    def __post_init__(self, more): self.b += more
# %%
@flow
def main():
    try: P(1).x = 2
    except FrozenInstanceError: kind = "frozen"
    return asdict(Q()), replace(P(1), y=5).z, P(1) < P(2), [f.name for f in fields(P)], P.made, astuple(S(5, 5)), kind
