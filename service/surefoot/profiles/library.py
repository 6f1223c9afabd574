"""Finding profiles: built-in by name, a user's own by path."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path

from pydantic import ValidationError

from surefoot.errors import ProfileInvalid
from surefoot.profiles.schema import Profile

_BUILTIN = resources.files("surefoot.profiles") / "builtin"


def builtin_names() -> list[str]:
    """Names of the profiles that ship with surefoot, sorted."""
    return sorted(Path(entry.name).stem for entry in _BUILTIN.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """The profile of that built-in name, or the one in that TOML file.

    Raises `ProfileInvalid`, which names the file, the key and what was expected.
    """
    return parse_profile(profile_text(name_or_path), name_or_path)


def profile_text(name_or_path: str) -> str:
    """The TOML that `load_profile` reads, comments and all. Raises `ProfileInvalid` where there is none."""
    if name_or_path.endswith(".toml"):
        path = Path(name_or_path)
        if not path.is_file():
            raise ProfileInvalid(f"profile file {path} does not exist", param="profile")
        return path.read_text(encoding="utf-8")
    if name_or_path not in builtin_names():
        raise ProfileInvalid(
            f"no built-in profile {name_or_path!r}; there are {', '.join(builtin_names())}, "
            "or give a path ending in .toml",
            param="profile",
        )
    return (_BUILTIN / f"{name_or_path}.toml").read_text(encoding="utf-8")


def parse_profile(text: str, origin: str) -> Profile:
    """The profile in a TOML text. Raises `ProfileInvalid`, in which `origin` says where it is from."""
    try:
        return Profile.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as cause:
        raise ProfileInvalid(f"profile {origin} is not valid TOML: {cause}", param="profile") from cause
    except ValidationError as cause:
        first = cause.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the profile"
        raise ProfileInvalid(f"profile {origin}: {where}: {first['msg']}", param="profile") from cause
