import logging
from pathlib import Path

import pytest

from chat_mvp.errors import StartupError
from chat_mvp.mongod.discover import find_mongod


def program(directory: Path, output: str = "db version v8.0.4", *, code: int = 0) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "mongod"
    path.write_text(f"#!/bin/sh\n[ \"$1\" = --version ] && echo '{output}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def wheel(packages: Path) -> Path:
    return program(packages / "fiftyone" / "db" / "bin")


async def test_the_one_on_path_comes_first(tmp_path: Path) -> None:
    on_path = program(tmp_path / "bin")
    wheel(tmp_path / "packages")
    found = await find_mongod(search_path=str(tmp_path / "bin"), packages=[str(tmp_path / "packages")])
    assert (found.program, found.origin) == (on_path, "path")


async def test_the_one_in_the_wheel_comes_second(tmp_path: Path) -> None:
    in_wheel = wheel(tmp_path / "packages")
    packages = [str(tmp_path / "elsewhere"), str(tmp_path / "packages")]
    found = await find_mongod(search_path=str(tmp_path / "bin"), packages=packages)
    assert (found.program, found.origin) == (in_wheel, "wheel")


async def test_without_any_the_error_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StartupError) as caught:
        await find_mongod(search_path=str(tmp_path), packages=[str(tmp_path)])
    assert "No MongoDB was found" in caught.value.detail
    assert "docker compose" in caught.value.remedy
    assert "--mongo-uri" in caught.value.remedy


@pytest.mark.parametrize(
    ("output", "code", "reason"),
    [
        ("db version v4.4.29", 0, "MongoDB 4.4"),
        ("db version v5.0.1", 0, "MongoDB 5.0"),
        ("error while loading shared libraries: libcrypto.so.1.1", 127, "does not run here"),
        ("something else of that name", 0, "does not run here"),
    ],
)
async def test_one_on_path_that_will_not_do_is_passed_over_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, output: str, code: int, reason: str
) -> None:
    on_path = program(tmp_path / "bin", output, code=code)
    in_wheel = wheel(tmp_path / "packages")
    with caplog.at_level(logging.WARNING):
        found = await find_mongod(search_path=str(tmp_path / "bin"), packages=[str(tmp_path / "packages")])
    assert found.program == in_wheel
    assert str(on_path) in caplog.text
    assert reason in caplog.text
    with pytest.raises(StartupError, match=reason):
        await find_mongod(search_path=str(tmp_path / "bin"), packages=[])


async def test_a_file_that_is_no_program_is_passed_over(tmp_path: Path) -> None:
    broken = program(tmp_path / "bin")
    broken.write_bytes(b"\x7fELF but nothing more")
    with pytest.raises(StartupError, match="does not run here"):
        await find_mongod(search_path=str(tmp_path / "bin"), packages=[])


@pytest.mark.parametrize("version", ["6.0.5", "7.0.0", "8.2.1", "10.0.0"])
async def test_every_version_from_six_on_will_do(tmp_path: Path, version: str) -> None:
    program(tmp_path / "bin", f"db version v{version}")
    assert (await find_mongod(search_path=str(tmp_path / "bin"), packages=[])).origin == "path"
