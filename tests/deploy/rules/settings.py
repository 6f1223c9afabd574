"""The scorer's settings, as the cluster would hand them over, read by surefoot's own settings."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from deploy.rendering import Rendered, after, arguments_of, main_of, name_of, pod_of
from deploy.rules.pods import amount
from surefoot.errors import SettingsInvalid
from surefoot.settings import ModelSettings, RemoteGeneratorSettings, Settings, load_settings

PREFIX = "SUREFOOT_"


def settings_can_be_read(given: Rendered) -> Iterator[str]:
    """Every variable is a setting (the reader ignores those that are none), and the whole is valid."""
    for name in variables(given):
        if name.startswith(PREFIX) and name != "SUREFOOT_CONFIG":
            top = name.removeprefix(PREFIX).lower().partition("__")[0]
            if top not in Settings.model_fields:
                yield f"no setting is called {name}"
    try:
        settings_of(given)
    except SettingsInvalid as error:
        yield str(error)


def settings_name_what_is_there(given: Rendered) -> Iterator[str]:
    try:
        settings = settings_of(given)
    except SettingsInvalid as error:
        yield str(error)
        return
    files = [settings.auth.keys_file, settings.promotions_file, Path(variables(given)["SUREFOOT_CONFIG"])]
    paths = [Path(model.path) for model in settings.models if model.path.startswith("/")]
    mounts = [PurePosixPath(mount["mountPath"]) for mount in main_of(given.scorer)["volumeMounts"]]
    for path in [*files, *paths]:
        if path is not None and not any(mount in PurePosixPath(path).parents for mount in mounts):
            yield f"{path} lies in no volume"
    if settings.auth.keys_file is None:
        yield "whoever reaches the port may call"
    if settings.generator.engine != "none":
        yield "the scorer would sample for itself"
    servers = [model for model in settings.models if model.url is not None]
    for server in [*servers, *settings.remote_generators]:
        yield from _complaints_of_a_server(given, server)


def _complaints_of_a_server(given: Rendered, server: ModelSettings | RemoteGeneratorSettings) -> Iterator[str]:
    """Where surefoot asks a vLLM: the Service and its port, the model's name there, and the key that both have."""
    address = urlsplit(server.url or "")
    services = [each for each in given.of("Service") if name_of(each) == address.hostname]
    if [port["port"] for each in services for port in each["spec"]["ports"]] != [address.port]:
        yield f"{server.url} is no Service"
        return
    workload = next(each for each in given.workloads if name_of(each) == address.hostname)
    words = arguments_of(main_of(workload))
    if isinstance(server, RemoteGeneratorSettings):
        served = {after(words, "--served-model-name"), after(words, "--lora-modules")}
        if server.model not in served:
            yield f"{server.name} asks for {server.model}, and {name_of(workload)} serves {served}"
    elif server.path not in words or after(words, "--runner") != "pooling":
        yield f"{name_of(workload)} does not pool {server.path}"
    ours, theirs = variables(given).get(server.api_key_env or ""), _secret(given, name_of(workload), "VLLM_API_KEY")
    if ours is None or ours != theirs:
        yield f"{server.name} and {name_of(workload)} have other keys: {ours}, {theirs}"


def variables(given: Rendered, workload: str = "scorer") -> dict[str, str]:
    """Of a workload's container: their values, and of those that come from a Secret its name and key."""
    [found] = [each for each in given.workloads if name_of(each) == workload]
    container = main_of(found)
    values = {}
    for variable in container["env"]:
        source = variable.get("valueFrom", {})
        if "resourceFieldRef" in source:
            kind, _, what = source["resourceFieldRef"]["resource"].partition(".")
            values[variable["name"]] = str(int(amount(container["resources"][kind][what])))
        elif "secretKeyRef" in source:
            values[variable["name"]] = "{name}/{key}".format(**source["secretKeyRef"])
        else:
            values[variable["name"]] = variable.get("value", "")
    return values


def _secret(given: Rendered, workload: str, variable: str) -> str | None:
    return variables(given, workload).get(variable)


def settings_of(given: Rendered) -> Settings:
    """Raises `SettingsInvalid`."""
    [volume] = [each for each in pod_of(given.scorer)["volumes"] if "configMap" in each]
    data = given.one("ConfigMap", volume["configMap"]["name"])["data"]
    with tempfile.TemporaryDirectory() as scratch:
        for name, content in data.items():
            Path(scratch, name).write_text(content, encoding="utf-8")
        values = variables(given) | {"SUREFOOT_CONFIG": f"{scratch}/{Path(variables(given)['SUREFOOT_CONFIG']).name}"}
        with _environment(values):
            settings = load_settings()
            # Keys are looked up when the service is built.
            for server in [*settings.models, *settings.remote_generators]:
                server.api_key()
            return settings


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    for name in [name for name in before if name.startswith(PREFIX)]:
        del os.environ[name]
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
