# Enumerations: as a parameter, with methods, values of their own, flags, and made by a call.
# gives: ('RED', True, 'Perm.R|W', 2, Size.big, [<Code.ok: 200>], True)
# runs with: {"colour": "red"}
# %%
import enum
from prefect import flow
class Colour(str, enum.Enum):
    RED = "red"
    BLUE = "blue"
    def loud(self): return self.value.upper()
    @classmethod
    def _missing_(cls, value): return cls.BLUE
class Perm(enum.Flag):
    R = enum.auto()
    W = enum.auto()
class Code(enum.IntEnum):
    ok = 200
class Planet(enum.Enum):
    EARTH = (1, 2)
    def __init__(self, mass, radius): self.mass, self.radius = mass, radius
Size = enum.Enum("Size", "small big")
Size.__repr__ = lambda self: f"Size.{self.name}"
# %%
@flow
def main(colour: Colour):
    both = f"Perm.{'|'.join(p.name for p in Perm if p in (Perm.R | Perm.W))}"
    return colour.loud(), Colour("nothing") is Colour.BLUE, both, Planet.EARTH.radius, Size["big"], list(Code), colour is Colour.RED
