# Parameters with types of typing, of the standard library, and constrained ones.
# gives: (2026, 'x.csv', 'b', 5, {'k': (1, 2)}, True, 'Point(x=1, y=0)', 1.5, 'hidden')
# runs with: {"day": "2026-05-01", "place": "d/x.csv", "mode": "b", "count": 5, "table": {"k": [1, 2]}, "settings": {"deep": true}, "point": [1], "price": "1.5", "token": "hidden"}
# %%
import datetime, decimal, pathlib
from typing import Annotated, Literal, NamedTuple, NewType
from typing_extensions import TypedDict
from pydantic import Field, SecretStr
from prefect import flow
class Settings(TypedDict, total=False):
    deep: bool
class Point(NamedTuple):
    x: int
    y: int = 0
    def sum(self): return self.x + self.y
Count = NewType("Count", int)
Positive = Annotated[int, Field(gt=0)]
# %%
@flow
def main(
    day: datetime.date, place: pathlib.Path, mode: Literal["a", "b"], count: Positive, table: dict[str, tuple[int, int]],
    settings: Settings, point: Point, price: decimal.Decimal | None, token: SecretStr, user: Count = 1,
):
    return day.year, place.name, mode, count, table, settings["deep"], repr(point), float(price), token.get_secret_value()
