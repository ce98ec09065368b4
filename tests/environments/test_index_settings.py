"""pip's settings reach uv, unless uv has its own."""

from __future__ import annotations

from pathlib import Path

from satflow_ext.environments.build import uv_variables


def test_variables_and_files(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex-url = https://me:pw@one.example/simple\nextra-index-url =\n  https://two.example\n"
    )
    found = uv_variables({"PIP_CONFIG_FILE": str(file), "PIP_EXTRA_INDEX_URL": "https://a.example https://b.example"})
    assert found["UV_DEFAULT_INDEX"] == "https://me:pw@one.example/simple"
    assert found["UV_INDEX"] == "https://a.example https://b.example"
    assert found["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_uvs_own_settings_win() -> None:
    assert uv_variables({"PIP_INDEX_URL": "https://one.example", "UV_INDEX_URL": "https://two.example"}) == {}


def test_a_file_that_cannot_be_read_is_left_to_pip(tmp_path: Path) -> None:
    file = tmp_path / "pip.conf"
    file.write_text("no section\n")
    assert "UV_DEFAULT_INDEX" not in uv_variables({"PIP_CONFIG_FILE": str(file)})
