"""The members of a class that define its behavior, in an order that does not depend on the process."""

from __future__ import annotations

import enum
import inspect
import re
import sys
import types

from satflow_ext.kernel.key_value import KeyValue

SKIPPED_MEMBERS = frozenset(
    {
        "__dict__",
        "__weakref__",
        "__module__",
        "__firstlineno__",
        "__static_attributes__",
        "__signature__",
        "__abstractmethods__",
        "_abc_impl",
        "__annotate_func__",
        "__annotations_cache__",
        "__class_vars__",
    }
)
"""Members that Python derives from others, or that only describe where the class is defined."""

PYDANTIC_MEMBERS = frozenset({"__pydantic_fields__", "__pydantic_decorators__"})
VARIADIC_KINDS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
DESCRIPTOR_TYPES = (types.MemberDescriptorType, types.GetSetDescriptorType)


def class_members(cls: type) -> list[tuple[str, object]]:
    """Return (label, object) for the bases and members of a class; for an enumeration, its values and methods."""
    bases: list[tuple[str, object]] = [("", base) for base in cls.__bases__]
    own = _enum_members(cls) if isinstance(cls, enum.EnumMeta) else _own_members(cls)
    return bases + [(f".{name}", KeyValue((name, own[name]))) for name in sorted(own)]


def is_pydantic(cls: type) -> bool:
    """Return whether a class is a pydantic model or dataclass, whose schema is built from its fields and other models'."""
    own = vars(cls)
    return "__pydantic_complete__" in own and ("__pydantic_fields__" in own or "__pydantic_root_model__" in own)


def text_annotation_names(cls: type) -> dict[str, object]:
    """Return the values, in the module of a class, of the names in its text annotations, which pydantic evaluates again."""
    namespace = vars(sys.modules.get(cls.__module__, object))
    try:
        texts = [
            each if isinstance(each, str) else repr(each) for each in vars(cls).get("__annotations__", {}).values()
        ]
    except NameError:  # evaluated lazily, and a name is not defined (Python 3.14)
        return {}
    words = {word for text in texts for word in re.findall(r"[^\W\d]\w*", text)}
    return {word: namespace[word] for word in sorted(words & namespace.keys())}


def missing_subclass_arguments(base: type) -> str | None:
    """Describe the required arguments of a class's `__init_subclass__`, which a rebuilt class cannot pass; None if none."""
    hook = vars(base).get("__init_subclass__")
    if not isinstance(hook, classmethod) or not isinstance(hook.__func__, types.FunctionType):
        return None
    named = list(inspect.signature(hook.__func__).parameters.values())[1:]
    required_names = [each.name for each in named if each.default is each.empty and each.kind not in VARIADIC_KINDS]
    return (
        f"{base.__qualname__}.__init_subclass__ needs {', '.join(required_names)}, which is lost when the class is pickled"
        if required_names
        else None
    )


def _own_members(cls: type) -> dict[str, object]:
    return {
        name: each for name, each in vars(cls).items() if _is_relevant(name) and not isinstance(each, DESCRIPTOR_TYPES)
    }


def _is_relevant(name: str) -> bool:
    return name not in SKIPPED_MEMBERS and (not name.startswith("__pydantic_") or name in PYDANTIC_MEMBERS)


def _enum_members(cls: enum.EnumMeta) -> dict[str, object]:
    values = {name: member.value for name, member in cls.__members__.items()}  # type: ignore[var-annotated]
    methods = {name: each for name, each in vars(cls).items() if isinstance(each, (types.FunctionType, property))}
    return {**methods, **values}
