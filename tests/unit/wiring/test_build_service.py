"""A service is refused before it starts where its settings cannot be served, and says later what went wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from surefoot.api.service import Service
from surefoot.errors import GpuMemoryTooSmall, KeysFileInvalid, ProfileInvalid, SettingsInvalid
from surefoot.settings import AuthSettings, GeneratorSettings, ModelSettings, RemoteGeneratorSettings, Settings
from surefoot.wiring import build_service


def settings(directory: Path | str = "/nowhere", device: str = "cpu", **generator: object) -> Settings:
    return Settings(
        device=device,
        dtype="float32",
        models=[ModelSettings(name="prm", profile="embedded-prm", path=str(directory))],
        generator=GeneratorSettings(path=str(directory), **generator),
    )


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Settings], object]]:
    """Starts a service and waits until no model is loading any more."""
    services: list[Service] = []

    async def start(wanted: Settings) -> Service:
        service = build_service(wanted)
        services.append(service)
        await service.start()
        async with asyncio.timeout(20):
            while any(s.state == "loading" for s in service.registry.states().values()):  # noqa: ASYNC110 (a poll)
                await asyncio.sleep(0.01)
        return service

    yield start
    for service in services:
        await service.close()


def test_absent_gpu_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="cuda:9"):
        build_service(settings(device="cuda:9"))


def test_lazy_generator_on_a_shared_gpu_is_refused(gpu) -> None:
    gpu(23, 24)
    with pytest.raises(SettingsInvalid, match=r"generator\.start is lazy"):
        build_service(settings(device="cuda:0", engine="vllm", start="lazy"))


def test_unknown_profile_is_refused() -> None:
    wanted = settings().model_copy(update={"models": [ModelSettings(name="prm", profile="unheard-of")]})
    with pytest.raises(ProfileInvalid, match="unheard-of"):
        build_service(wanted)


@pytest.mark.parametrize("admin_routes", [False, True])
def test_admin_routes_are_those_of_the_settings(admin_routes: bool) -> None:
    wanted = settings(engine="none").model_copy(update={"admin_routes": admin_routes})
    assert build_service(wanted).admin_routes is admin_routes


def test_no_keys_are_asked_for_by_default() -> None:
    assert build_service(settings(engine="none")).keys is None


def test_keys_are_those_of_the_file(keys_in_file) -> None:
    key = keys_in_file.new("alice", "score")
    auth = AuthSettings(keys_file=keys_in_file.path, metrics_need_key=True)
    service = build_service(settings(engine="none").model_copy(update={"auth": auth}))
    found = service.keys.find(key.encode())
    assert (found.name, service.metrics_need_key) == ("alice", True)


def test_a_keys_file_that_is_not_there_is_refused(tmp_path) -> None:
    auth = AuthSettings(keys_file=tmp_path / "keys.json")
    with pytest.raises(KeysFileInvalid, match=r"keys\.json"):
        build_service(settings(engine="none").model_copy(update={"auth": auth}))


def test_generator_may_be_left_out() -> None:
    assert build_service(settings(engine="none")).generators == {}


async def test_models_are_loaded_in_the_background(started, tiny) -> None:
    service = await started(settings(tiny("llama"), engine="none"))
    assert service.registry.is_ready()


async def test_full_gpu_is_the_reason_that_every_model_gives(started, tiny, gpu) -> None:
    gpu(2, 24)
    service = await started(settings(tiny("llama"), device="cuda:0", engine="vllm"))
    assert service.registry.states()["prm"].detail.startswith(f"{GpuMemoryTooSmall.code}: the shares ask for")


async def test_lazy_generator_waits_for_its_first_use(started, tiny) -> None:
    service = await started(settings(tiny("llama"), engine="transformers", start="lazy"))
    assert service.generators["default"].sampler.state().state == "idle"


NOBODY = RemoteGeneratorSettings(name="far", url="http://127.0.0.1:9", model="m", connect_timeout_s=0.5)


@pytest.mark.parametrize(("engine", "names"), [("none", ["far"]), ("transformers", ["default", "far"])])
def test_remote_generators_come_after_the_one_in_process(engine: str, names: list[str]) -> None:
    wanted = settings(engine=engine).model_copy(update={"remote_generators": [NOBODY]})
    assert list(build_service(wanted).generators) == names


async def test_a_server_that_nobody_reaches_leaves_the_models_alone(started, tiny) -> None:
    wanted = settings(tiny("llama"), engine="none").model_copy(update={"remote_generators": [NOBODY]})
    service = await started(wanted)
    async with asyncio.timeout(5):
        while service.generators["far"].sampler.state().state == "idle":  # noqa: ASYNC110 (a poll)
            await asyncio.sleep(0.01)
    assert (service.generators["far"].sampler.state().state, service.registry.is_ready()) == ("failed", True)
