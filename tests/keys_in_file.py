"""A keys file that a test changes, and the clock and the day by which it is read."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from surefoot.access import KeyRing, Scope, add_key, new_key, new_record, revoke_keys

TODAY = date(2030, 1, 31)
YESTERDAY = TODAY - timedelta(days=1)


@dataclass
class KeysInFile:
    """Makes and revokes keys in the file at `path`; `ring` gives what a service has of it."""

    path: Path
    now_s: float = 1000.0
    today: date = TODAY
    counted: list[str] = field(default_factory=list)

    def new(self, name: str, *scopes: Scope, expires: date | None = None) -> str:
        key = new_key()
        add_key(self.path, new_record(key, name, scopes, expires, self.today))
        return key

    def revoke(self, name: str) -> None:
        assert revoke_keys(self.path, name)

    def ring(self) -> KeyRing:
        if not self.path.exists():
            self.path.write_text('{"keys": []}')
            self.path.chmod(0o600)
        return KeyRing(self.path, count_error=self.counted.append, clock=lambda: self.now_s, today=lambda: self.today)
