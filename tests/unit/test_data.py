from __future__ import annotations

from pathlib import Path

import pytest

from consentledger.kernel.data import data_dir
from consentledger.kernel.errors import ConfigurationError


def test_a_wheel_carries_the_folder_inside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "consentledger"
    (package / "templates").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    assert data_dir("templates", package=package) == package / "templates"


def test_a_checkout_has_it_beside_the_package(tmp_path: Path) -> None:
    package = tmp_path / "consentledger"
    package.mkdir()
    (tmp_path / "templates").mkdir()
    assert data_dir("templates", package=package) == tmp_path / "templates"


def test_an_incomplete_installation_is_told_apart_by_name(tmp_path: Path) -> None:
    (tmp_path / "templates").write_text("a file is not a folder")
    with pytest.raises(ConfigurationError, match="no 'templates' folder"):
        data_dir("templates", package=tmp_path / "consentledger")


def test_a_folder_of_the_working_directory_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "surprise").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError):
        data_dir("surprise")
