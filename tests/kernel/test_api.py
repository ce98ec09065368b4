"""`satflow_ext.register` with arguments that are none."""

from __future__ import annotations

import pytest

import satflow_ext
from satflow_ext.errors import BadRequest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": 3}, "name: it must be text"),
        ({"n_workers": object()}, r"options\.n_workers: input was not a valid JSON value"),
        ({"cron": 5}, "cron: it must be text"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(arguments, said):
    with pytest.raises(BadRequest, match=said):
        satflow_ext.register("main", **arguments)
