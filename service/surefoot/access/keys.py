"""One key: how it is made, what is kept of it, and how a presented one is found among the records.

Of a key its SHA-256 is kept. Slow, salted hashes exist for passwords, which can be guessed; a key here is 256 random
bits, so that nobody finds one by trying, however fast a try is, and no two are equal, so that a salt adds nothing.
A fast hash in turn costs a request nothing, and gives strangers no way to keep the processor busy.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal, get_args

Scope = Literal["score", "sample", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
PREFIX = "sf-"
"""What every key begins with, so that scanners for leaked secrets can tell one."""

_NUM_RANDOM_BYTES = 32
_ID = re.compile(r"[0-9a-f]{8}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is kept of a key. Several may bear one `name`, whose work then counts as one caller's.

    `id` is random and tells nothing of the key; a key is good to the end of the day `expires`, in UTC.
    """

    id: str
    name: str
    sha256: str = field(repr=False)
    scopes: frozenset[Scope]
    created: date | None = None
    expires: date | None = None

    def __post_init__(self) -> None:
        """Raises `ValueError`, which names the field and never shows its value."""
        if not _ID.fullmatch(self.id):
            raise ValueError("id: want 8 hexadecimal digits in lower case")
        check_name(self.name)
        if not _SHA256.fullmatch(self.sha256):
            raise ValueError("sha256: want 64 hexadecimal digits in lower case")
        if not self.scopes or not self.scopes <= set(SCOPES):
            raise ValueError(f"scopes: want at least one of {', '.join(SCOPES)}, and no other")

    def has_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return self.expires is not None and self.expires < today


def new_key() -> str:
    """A key that nobody has had before: 256 random bits, in characters that fit any header."""
    return PREFIX + secrets.token_urlsafe(_NUM_RANDOM_BYTES)


def new_record(key: str, name: str, scopes: Iterable[Scope], expires: date | None, today: date) -> KeyRecord:
    """The record of a new key. Raises `ValueError` for a name or scopes that cannot be."""
    return KeyRecord(secrets.token_hex(4), name, digest_of(key.encode()), frozenset(scopes), today, expires)


def check_name(name: str) -> None:
    """Raises `ValueError` for what cannot be a key's name, or could be taken for an id."""
    if not _NAME.fullmatch(name) or _ID.fullmatch(name):
        raise ValueError(
            "name: want at most 64 letters, digits, dots, dashes and underscores, a letter or digit first; "
            "8 hexadecimal digits alone are an id"
        )


def digest_of(key: bytes) -> str:
    """SHA-256 in hexadecimal, as the file holds it."""
    return hashlib.sha256(key).hexdigest()


def matching(key: bytes, records: Sequence[KeyRecord], today: date) -> KeyRecord | None:
    """The record of `key`, `None` for an unknown or expired one.

    Every record is compared, each in constant time: how long it takes tells neither which one is near nor which it is.
    """
    digest = digest_of(key)
    found = None
    for record in records:
        if hmac.compare_digest(digest, record.sha256):
            found = record
    return None if found is None or found.has_expired(today) else found


def utc_today() -> date:
    """The day by which keys expire."""
    return datetime.now(UTC).date()
