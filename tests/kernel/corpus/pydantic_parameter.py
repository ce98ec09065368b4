# A pydantic model with validators, computed and private fields, an alias and a default.
# gives: (7, 'DAY', 14, 1, ['n', 'full'], 'too small')
# runs with: {"config": {"n": 7, "fullName": "day"}}
# %%
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, computed_field, field_validator, model_validator
from prefect import flow
class Config(BaseModel):
    model_config = ConfigDict(validate_assignment=True)
    n: int = Field(1, ge=0)
    full: str = Field("x", alias="fullName")
    _hidden: int = PrivateAttr(1)
    @field_validator("full")
    @classmethod
    def shout(cls, v): return v.upper()
    @model_validator(mode="after")
    def checked(self): return self
    @computed_field
    @property
    def twice(self) -> int: return 2 * self.n
# %%
@flow
def main(config: Config = Config()):
    try: config.n = -1
    except ValidationError: said = "too small"
    return config.n, config.full, config.twice, config._hidden, list(Config.model_fields), said
