"""Each test has one kind, derived or stated in its module."""

from __future__ import annotations

import pytest

from tests.kinds import KINDS, derive_kind


@pytest.mark.parametrize(
    ("fixtures", "folder", "kind"),
    [
        ({"tmp_path", "house"}, "registration", "quick"),
        ({"tmp_path"}, "executors", "quick"),
        ({"registered", "packed", "stack"}, "registration", "stack"),
        ({"browser", "jp_serverapp"}, "server", "stack"),
        ({"module_kernel"}, "compat", "stack"),
        ({"registered", "stack"}, "executors", "cluster"),
        ({"cluster", "runner"}, "dask_tasks", "cluster"),
        ({"hosts"}, "backends", "cluster"),
        ({"team"}, "gateways", "cluster"),
        ({"team", "other_prefect"}, "registration", "stack"),
    ],
)
def test_fixtures_and_folder_tell_the_kind(fixtures, folder, kind):
    assert derive_kind(fixtures, folder) == kind


def test_each_test_of_this_session_has_one_kind(request):
    kinds = {each.nodeid: {mark.name for mark in each.iter_markers()} & set(KINDS) for each in request.session.items}
    assert not {test: found for test, found in kinds.items() if len(found) != 1}
