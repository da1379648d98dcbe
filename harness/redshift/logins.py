"""Who may log in: the users of the database, each with its password or a temporary one.

In: a client's login name and its answer to the challenge. Out: a `Login`, or a refusal. The gateway's own user has the
password of its settings; of any other PostgreSQL keeps what Redshift keeps, the MD5 hash of password and name
(`users`). A login name of `IAM:user` or `IAMA:user` comes with a temporary password. Sources: Database Developer Guide,
"CREATE USER"; Amazon Redshift API Reference, "GetClusterCredentials".
"""

import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import psycopg2
from psycopg2 import sql

from harness.redshift import connect
from harness.redshift.connect import Address
from harness.redshift.long_names import stored
from harness.redshift.messages import Refusal

_TEMPORARY = re.compile(r"IAMA?:(.+)", re.DOTALL)
_FIND = """
    SELECT coalesce(r.rolpassword, ''), r.rolcanlogin AND NOT coalesce(r.rolvaliduntil < now(), false), r.rolsuper,
           r.rolconnlimit, coalesce((SELECT s.setconfig FROM pg_catalog.pg_db_role_setting s
                                      WHERE s.setrole = r.oid AND s.setdatabase = 0), '{}')
      FROM pg_catalog.pg_authid r WHERE r.rolname = %s"""
_GROUPS = """
    SELECT g.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles g ON g.oid = m.roleid
      JOIN pg_catalog.pg_roles u ON u.oid = m.member WHERE u.rolname = %s"""


@dataclass(frozen=True)
class Login:
    """A user who has shown who it is.

    settings: what ALTER USER … SET gives to each of its sessions. connections_max: -1 if as many as it likes.
    """

    user: str
    is_superuser: bool = True
    is_gateways: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    connections_max: int = -1


@dataclass(frozen=True)
class Answer:
    """A login name and what came with it: the password, or with a salt its MD5 answer."""

    name: str
    value: bytes
    salt: bytes | None

    def is_of(self, md5_hash: str) -> bool:
        """Whether it shows knowledge of the password with this hash (of password and name)."""
        if self.salt is None:
            given = connect.md5_hash(self.name, self.value.decode("utf-8", "replace"))
            return hmac.compare_digest(given, md5_hash)
        return hmac.compare_digest(self.value, connect.md5_salted(md5_hash, self.salt))

    def is_password(self, password: str) -> bool:
        return self.is_of(connect.md5_hash(self.name, password))


@dataclass(frozen=True)
class TemporaryPassword:
    """A user's password, and the time (`time.time()` seconds) from which on it is none."""

    user: str
    password: str = field(repr=False)
    expires_at_s: float


class Logins:
    """The users of one backend; safe to use from several threads."""

    def __init__(self, address: Address, user: str, password: str, clock: Callable[[], float] = time.time) -> None:
        self.user, self.database = user, address.database
        self._address, self._password, self._clock = address, password, clock
        self._lock = threading.Lock()
        self._issued: list[TemporaryPassword] = []

    def issue(self, user: str, duration_s: int) -> TemporaryPassword:
        """A further password for a user, who need not be there yet."""
        issued = TemporaryPassword(user, secrets.token_urlsafe(32), self._clock() + duration_s)
        with self._lock:
            self._issued.append(issued)
        return issued

    def of_gateway(self, answer: Answer) -> Login | None:
        """The gateway's own user, if it is that: known without asking anybody."""
        is_it = answer.name == self.user and answer.is_password(self._password)
        return Login(self.user, is_gateways=True) if is_it or self._is_temporary(answer, self.user) else None

    def find(self, answer: Answer) -> Login:
        """Whoever else it is; asks the backend, and blocks.

        Raises:
            Refusal: nobody who may log in.
            psycopg2.Error: the backend cannot be reached.
        """
        found = _TEMPORARY.fullmatch(answer.name)
        user = found[1] if found else answer.name
        rows = self._ask(_FIND, user)
        if rows and user != self.user:
            ((kept, may_log_in, is_superuser, connections_max, settings),) = rows
            has_it = kept.startswith("md5") and not found and answer.is_of(kept[3:])
            if may_log_in and (has_it or self._is_temporary(answer, user)):
                parted = dict(setting.split("=", 1) for setting in settings)
                limit = -1 if is_superuser else connections_max
                return Login(stored(user), is_superuser=is_superuser, settings=parted, connections_max=limit)
        raise Refusal("28P01", f'password authentication failed for user "{answer.name}"')

    def _is_temporary(self, answer: Answer, user: str) -> bool:
        found = _TEMPORARY.fullmatch(answer.name)
        if found is None or found[1] != user:
            return False
        with self._lock:
            self._issued = [issued for issued in self._issued if issued.expires_at_s > self._clock()]
            passwords = [issued.password for issued in self._issued if issued.user == user]
        return any(map(answer.is_password, passwords))

    def create(self, user: str) -> None:
        """Make a user that has no password, unless there is one of this name (AutoCreate)."""
        connection = self._address.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(sql.SQL("CREATE USER {}").format(sql.Identifier(stored(user))))
        except psycopg2.errors.DuplicateObject:
            pass
        finally:
            connection.close()

    def groups(self, user: str) -> frozenset[str]:
        """The groups that a user is in."""
        return frozenset(name for (name,) in self._ask(_GROUPS, user))

    def _ask(self, query: str, user: str) -> list[tuple]:  # type: ignore[type-arg]
        connection = self._address.connect()
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query, (stored(user),))
                return cursor.fetchall()
        finally:
            connection.close()
