"""Functions made by `pydantic.validate_call`: they hold the notebook's namespace, which is not needed to rebuild them.

`ValidatedCall` is pickled by value with them, so loading it does not require SatFlow.
"""

from __future__ import annotations

import sys
import types
from typing import Any


class ValidatedCall:
    """The callable behind pydantic's wrapper: the raw function, with validators that are built on the first call.

    The late build lets the function refer to itself and to models that are rebuilt after it.
    """

    def __init__(self, raw: Any, config: dict[str, Any], validate_return: bool) -> None:
        self.raw = raw
        self.config: Any = config
        self.validate_return = validate_return
        self.validated: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the validators: they hold the namespace of the process."""
        return {**vars(self), "validated": None}

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Validate the arguments and call the function."""
        if self.validated is None:
            import pydantic

            decorate = pydantic.validate_call(config=self.config, validate_return=self.validate_return)
            self.validated = decorate(self.raw)
        return self.validated(*args, **kwargs)


def validated_call(function: types.FunctionType) -> ValidatedCall | None:
    """Return the raw function and the settings of a function that `pydantic.validate_call` made; None for any other."""
    pydantic_module: Any = sys.modules.get("pydantic._internal._validate_call")
    if pydantic_module is None or not function.__closure__:
        return None
    if not any(function.__code__ is each for each in pydantic_module.update_wrapper_attributes.__code__.co_consts):
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__, strict=True))
    wrapper = cells["wrapper"].cell_contents
    if isinstance(wrapper, ValidatedCall):
        return wrapper
    owner: Any = wrapper.__self__
    return ValidatedCall(owner.function, dict(owner.config_wrapper.config_dict), owner.validate_return)
