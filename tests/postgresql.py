"""An ephemeral PostgreSQL of the host's own binaries, run by an ordinary user, for the length of one test session."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from signal import SIGINT

import psycopg

_NAMES = count(1)


def binaries() -> Path | None:
    """The folder of the newest server binaries on this host, None where there are none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. Only its own socket folder leads to it."""

    sockets: Path
    user: str

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://{self.user}@/{name}?host={self.sockets}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.sockets), user=self.user, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())

    @contextmanager
    def database(self, template: str = "template1", keep: bool = False) -> Iterator[str]:
        """A fresh database made from `template`; yields its name."""
        name = f"skerry_{next(_NAMES)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        yield name
        if not keep:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


class Reused:
    """A database that is given its first rows again for each test, a tenth of the work of making one of 700 files."""

    def __init__(self, server: Server, name: str) -> None:
        self.url = server.url(name)
        self._connection = psycopg.connect(host=str(server.sockets), user=server.user, dbname=name, autocommit=True)
        self._connection.execute(_REMEMBER)
        self._connection.execute("SET session_replication_role = replica")  # no foreign key, no trigger looks on

    def restore(self) -> None:
        """Leave the rows that were there at first and no others. Whoever is still connected is cut off."""
        self._connection.execute(_DISCONNECT)
        self._connection.execute(_RESTORE)

    def close(self) -> None:
        self._connection.close()


_DISCONNECT = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_TABLES = "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
_REMEMBER = f"""
DO $$ DECLARE held record; filled boolean; BEGIN
    CREATE SCHEMA remembered;
    FOR held IN {_TABLES} LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', held.name) INTO filled;
        IF filled THEN EXECUTE format('CREATE TABLE remembered.%1$I AS TABLE %1$I', held.name); END IF;
    END LOOP;
END $$"""
_RESTORE = f"""
DO $$ DECLARE held record; filled boolean; BEGIN
    FOR held IN {_TABLES} LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', held.name) INTO filled;
        IF filled THEN EXECUTE format('DELETE FROM %I', held.name); END IF;
    END LOOP;
    FOR held IN SELECT relname AS name FROM pg_class WHERE relnamespace = 'remembered'::regnamespace LOOP
        EXECUTE format('INSERT INTO %1$I SELECT * FROM remembered.%1$I', held.name);
    END LOOP;
    PERFORM setval(sequence, first, false)
        FROM (SELECT format('%I.%I', schemaname, sequencename)::regclass AS sequence, start_value AS first
              FROM pg_sequences WHERE last_value IS NOT NULL) AS used;
END $$"""


@contextmanager
def run_server() -> Iterator[Server]:
    """Start a server and stop it in the end."""
    folder = binaries()
    if folder is None:
        raise RuntimeError("PostgreSQL's server binaries are not on this host")
    account = _ordinary_user()
    data = Path(tempfile.mkdtemp(prefix="skerry-pg-"))
    if os.getuid() == 0:
        os.chown(data, account.pw_uid, account.pw_gid)
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    try:
        quiet = {"stdout": subprocess.DEVNULL, "cwd": data, **who}
        initdb = [
            folder / "initdb",
            "--no-sync",
            "--auth=trust",
            "--username=skerry",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        subprocess.run([*map(str, initdb), f"--pgdata={data}/cluster"], check=True, **quiet)  # type: ignore[call-overload]
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(data),
            "max_connections": "200",
            # Nobody needs the data after a crash, and each test makes a database of its own.
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "wal_level": "minimal",
            "max_wal_senders": "0",
            "autovacuum": "off",
        }
        flags = [f"--{key}={value}" for key, value in options.items()]
        process = subprocess.Popen(  # type: ignore[call-overload]
            [str(folder / "postgres"), "-D", f"{data}/cluster", *flags], stderr=subprocess.DEVNULL, **quiet
        )
        try:
            server = Server(data, "skerry")
            _wait_until_ready(server, process)
            yield server
        finally:
            process.send_signal(SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(data, ignore_errors=True)


def _ordinary_user() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root: the user that Debian made for it, else nobody."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _wait_until_ready(server: Server, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")
