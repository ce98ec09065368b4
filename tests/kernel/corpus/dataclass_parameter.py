# A dataclass as the type of a parameter.
# gives: (9, ['a'], True)
# runs with: {"box": {"side": 3, "tags": ["a"]}}
# %%
from dataclasses import dataclass, field
from prefect import flow
@dataclass
class Box:
    side: int
    tags: list[str] = field(default_factory=list)
    def area(self): return self.side ** 2
# %%
@flow
def main(box: Box): return box.area(), box.tags, type(box) is Box
