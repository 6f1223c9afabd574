"""API keys: what is kept of them, the file that they are kept in, and finding the one that a caller sends.

The room knows nothing of HTTP: which route asks for which scope is the API's table.
"""

from surefoot.access.key_file import add_key, read_keys, revoke_keys
from surefoot.access.key_ring import KeyRing
from surefoot.access.keys import SCOPES, KeyRecord, Scope, check_name, digest_of, new_key, new_record, utc_today

__all__ = [
    "SCOPES",
    "KeyRecord",
    "KeyRing",
    "Scope",
    "add_key",
    "check_name",
    "digest_of",
    "new_key",
    "new_record",
    "read_keys",
    "revoke_keys",
    "utc_today",
]
