"""Find an Asterisk that is new enough, or fetch a private copy into the cache folder.

The private copy comes from Debian with the machine's own apt configuration, only the suite is another one. It needs
no root and no dpkg lock: the packages are unpacked aside, and what Asterisk needs runs through its own dynamic loader.
"""

import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from telephony.asterisk.elf import needed
from telephony.asterisk.modules import LOADED, REQUIRED, SPARE

Progress = Callable[[str], None]

MINIMUM = (22, 10)
SUITES = ("forky", "sid")
_TRIPLETS = {"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}
_LOADERS = {"amd64": "ld-linux-x86-64.so.2", "arm64": "ld-linux-aarch64.so.1"}
DATA_FOLDERS = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"))
_DATA = ("documentation", "rest-api", "static-http", "keys")
_NAME_SERVICES = ("libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2")
_MARK = "installation.json"
_REMEDY = (
    f"Install Asterisk {MINIMUM[0]}.{MINIMUM[1]} or newer with chan_pjsip and ARI so that `asterisk` is on the PATH "
    "(your system's package, or built from https://www.asterisk.org/downloads/), or run one elsewhere, for instance "
    "in a container, and point the settings ari_url, ari_user and ari_password at it."
)


class InstallError(RuntimeError):
    """No Asterisk can be had here. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be started (``system``, ``private``), or one run by others (``remote``)."""

    kind: Literal["remote", "system", "private"]
    version: str
    binary: Path = Path()
    loader: Path | None = None
    libraries: Path | None = None
    modules: Path = Path()
    data: Path = Path()
    module_names: frozenset[str] = frozenset()

    def argv(self, *arguments: str) -> list[str]:
        """The command line that runs this Asterisk."""
        if self.kind == "remote":
            raise InstallError("a remote Asterisk is not started from here")
        if self.loader is None:
            return [str(self.binary), *arguments]
        return [str(self.loader), "--library-path", str(self.libraries), str(self.binary), *arguments]


def resolve(cache: Path, *, ari_url: str = "", progress: Progress = lambda line: None) -> Installation:
    """The Asterisk to use: a remote one, one on the PATH, or a private copy that is fetched when missing.

    Blocks while it downloads; call it in a thread. Raises `InstallError`.
    """
    if ari_url:
        return Installation("remote", "")
    if installed := on_path(progress):
        return installed
    if cached := in_cache(cache):
        return cached
    return fetch(cache, progress)


# --------------------------------------------------------------------------- one that is there already


def on_path(progress: Progress = lambda line: None) -> Installation | None:
    """The machine's own Asterisk when it is new enough; an older one is skipped with a word."""
    found = shutil.which("asterisk", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin:/usr/local/sbin")
    if found is None:
        return None
    binary = Path(found)
    version = _version([found])
    if version is None:
        progress(f"{binary} does not tell its version: skipped")
        return None
    modules = next((folder for folder in _module_folders(binary) if (folder / "chan_pjsip.so").exists()), None)
    if modules is None:
        progress(f"{binary} ({version}) has no chan_pjsip module: skipped")
        return None
    names = _module_names(modules)
    if missing := [name for name in REQUIRED if name not in names]:
        wanted = ".".join(map(str, MINIMUM))
        progress(f"{binary} is Asterisk {version} without {', '.join(missing)}; {wanted} has them: skipped")
        return None
    data = next((folder for folder in DATA_FOLDERS if (folder / "documentation").exists()), None)
    if data is None:
        progress(f"{binary} ({version}) comes without its XML documentation, which chan_pjsip needs: skipped")
        return None
    return Installation("system", version, binary=binary, modules=modules, data=data, module_names=names)


def in_cache(cache: Path) -> Installation | None:
    """The newest private copy in the cache folder that fits this machine."""
    found = [read for mark in cache.glob(f"asterisk-*/{_MARK}") if (read := _read(mark))]
    return max(found, key=lambda installation: _numbers(installation.version), default=None)


def _read(mark: Path) -> Installation | None:
    try:
        facts = json.loads(mark.read_text())
        triplet, loader = facts["triplet"], facts["loader"]
        version = str(facts["version"])
    except (OSError, ValueError, KeyError):
        return None
    if facts.get("machine") != os.uname().machine:
        return None
    root = mark.parent
    libraries = root / "usr/lib" / triplet
    modules = libraries / "asterisk/modules"
    return Installation(
        "private",
        version,
        binary=root / "usr/sbin/asterisk",
        loader=libraries / loader,
        libraries=libraries,
        modules=modules,
        data=root / "usr/share/asterisk",
        module_names=_module_names(modules),
    )


def _module_folders(binary: Path) -> Iterator[Path]:
    prefix = binary.resolve().parent.parent
    for root in (prefix, Path("/usr")):
        yield from sorted(root.glob("lib/*/asterisk/modules"))
        yield root / "lib/asterisk/modules"
        yield root / "lib64/asterisk/modules"


def _module_names(folder: Path) -> frozenset[str]:
    return frozenset(file.stem for file in folder.glob("*.so"))


def _version(command: list[str]) -> str | None:
    """``22.10.1`` of what ``asterisk -V`` prints."""
    try:
        done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"Asterisk\s+(?:certified[/-])?(\d+(?:\.\d+)*)", done.stdout)
    return found[1] if found else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


# --------------------------------------------------------------------------- a private copy


def fetch(cache: Path, progress: Progress = lambda line: None, *, architecture: str = "") -> Installation:
    """Fetch a private copy into the cache folder; two at once share one download.

    Another `architecture` than the machine's is prepared but cannot be run here.
    """
    for tool in ("apt-get", "dpkg", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise InstallError(f"No Asterisk here, and none can be fetched without Debian's {tool}. {_REMEDY}")
    if not _debian():
        raise InstallError(f"No Asterisk here; a copy can be fetched on Debian only. {_REMEDY}")
    architecture = architecture or _run(["dpkg", "--print-architecture"]).strip()
    if architecture not in _TRIPLETS:
        raise InstallError(f"No Asterisk here, and none is fetched for the architecture {architecture}. {_REMEDY}")
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "asterisk.lock", progress):
        if (cached := in_cache(cache)) and architecture == _native():
            return cached
        problems: list[str] = []
        for suite in SUITES:
            with tempfile.TemporaryDirectory(prefix=".asterisk-", dir=cache) as work:
                try:
                    return _fetch(cache, Path(work), suite, architecture, progress)
                except (InstallError, OSError) as problem:
                    progress(f"Debian {suite}: {problem}")
                    problems.append(f"{suite}: {problem}")
        raise InstallError(f"No Asterisk here, and none could be fetched ({'; '.join(problems)}). {_REMEDY}")


def _fetch(cache: Path, work: Path, suite: str, architecture: str, progress: Progress) -> Installation:
    progress(f"fetching Asterisk from Debian {suite} (about 45 MB, once)")
    packages = _download(work, suite, architecture)
    progress(f"unpacking {len(packages)} packages")
    source, slim = work / "all", work / "slim"
    for package in packages:
        _unpack(package, source)
    _slim(source, slim, architecture)
    loader = slim / "usr/lib" / _TRIPLETS[architecture] / _LOADERS[architecture]
    binary = slim / "usr/sbin/asterisk"
    version = next((p.name.split("_")[1] for p in packages if p.name.startswith("asterisk_")), "")
    version = ".".join(map(str, _numbers(re.split(r"[+~-]|%3a", version.removeprefix("1%3a"))[0])))
    if architecture == _native():
        told = _version([str(loader), "--library-path", str(loader.parent), str(binary)])
        if told is None:
            raise InstallError("the unpacked Asterisk does not start")
        version = told
    if _numbers(version) < MINIMUM:
        raise InstallError(f"it has Asterisk {version} only")
    facts = {
        "version": version,
        "suite": suite,
        "triplet": _TRIPLETS[architecture],
        "loader": _LOADERS[architecture],
        "machine": os.uname().machine if architecture == _native() else architecture,
    }
    (slim / _MARK).write_text(json.dumps(facts, indent=1) + "\n")
    final = cache / (f"asterisk-{version}" if architecture == _native() else f"asterisk-{version}-{architecture}")
    if final.exists():
        shutil.rmtree(final)
    slim.rename(final)
    progress(f"Asterisk {version} is in {final}")
    installation = _read(final / _MARK)
    if installation is None:
        return Installation("private", version, binary=final / "usr/sbin/asterisk")
    if missing := [name for name in REQUIRED if name not in installation.module_names]:
        shutil.rmtree(final)
        raise InstallError(f"its Asterisk {version} lacks {', '.join(missing)}")
    return installation


def _download(work: Path, suite: str, architecture: str) -> list[Path]:
    """The packages of Asterisk and of all it depends on, resolved against an empty system."""
    apt = work / "apt"
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (apt / folder).mkdir(parents=True)
    status, sources = apt / "status", apt / "sources.list"
    status.write_text("")
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    signed = f"[signed-by={keyring}] " if keyring.exists() else ""
    sources.write_text(f"deb {signed}{_mirror()} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::Etc::preferences": "-",
        "Dir::Etc::preferencesparts": "-",
        "Dir::State": apt / "state",
        "Dir::State::status": status,
        "Dir::Cache": apt / "cache",
        "APT::Install-Recommends": "false",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Sandbox::User": "root",
        "APT::Default-Release": "",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "Debug::NoLocking": "1",
    }
    command = ["apt-get", "-q", "-y"]
    for key, value in options.items():
        command += ["-o", f"{key}={value}"]
    _run([*command, "update"], timeout=300)
    _run([*command, "--download-only", "install", "asterisk", "asterisk-modules"], timeout=900)
    packages = sorted((apt / "cache/archives").glob("*.deb"))
    if not packages:
        raise InstallError("apt-get downloaded nothing")
    return packages


def _mirror() -> str:
    """The Debian mirror that this machine's apt uses. Raises `InstallError` when it uses none."""
    sites = _run(["apt-get", "indextargets", "--format", "$(SITE)"]).split()
    for file in [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
            sites += re.findall(r"\b(?:https?|mirror\+file|file|ftp):/\S+", "\n".join(lines))
    for site in sites:
        if re.search(r"/debian/?$", site):
            return site
    raise InstallError(
        "apt knows no Debian mirror: add one to /etc/apt/sources.list, "
        "or install Asterisk 22.10 or newer and put it on the PATH"
    )


def _unpack(package: Path, root: Path) -> None:
    """Unpack the libraries, modules, program and data of one package; others are left out."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE) as child:
        with tarfile.open(fileobj=child.stdout, mode="r|") as archive:
            for member in archive:
                path = _merged(member.name)
                if not _wanted(path):
                    continue
                target = root / path
                if member.isdir():
                    target.mkdir(parents=True, exist_ok=True)
                elif member.issym():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.unlink(missing_ok=True)
                    target.symlink_to(member.linkname)
                elif member.isfile() and (content := archive.extractfile(member)):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.unlink(missing_ok=True)
                    with target.open("wb") as file:
                        shutil.copyfileobj(content, file)
                    target.chmod(0o755 if member.mode & 0o111 else 0o644)
        code = child.wait()
    if code:
        raise InstallError(f"{package.name} cannot be unpacked (dpkg-deb ended with {code})")


def _merged(name: str) -> PurePosixPath:
    """A member's path with /bin, /lib ... moved to /usr, as on every Debian of today."""
    parts = [part for part in PurePosixPath(name).parts if part not in ("/", ".", "..")]
    if parts and parts[0] in ("bin", "sbin", "lib", "lib64"):
        parts.insert(0, "usr")
    if parts[:2] == ["usr", "lib64"]:
        parts[1] = "lib"
    return PurePosixPath(*parts)


def _wanted(path: PurePosixPath) -> bool:
    text = str(path)
    return text == "usr/sbin/asterisk" or (
        text.startswith(("usr/share/asterisk/", "usr/lib/")) and "/gconv" not in text
    )


def _slim(source: Path, target: Path, architecture: str) -> None:
    """Copy Asterisk, our modules and the libraries that these are linked with."""
    libraries = PurePosixPath("usr/lib") / _TRIPLETS[architecture]
    modules = libraries / "asterisk/modules"
    todo = [PurePosixPath("usr/sbin/asterisk"), libraries / _LOADERS[architecture]]
    todo += [libraries / name for name in _NAME_SERVICES]
    todo += [modules / f"{name}.so" for name in dict.fromkeys((*LOADED, *SPARE))]
    seen: set[PurePosixPath] = set()
    while todo:
        path = todo.pop()
        file = source / path
        if path in seen or not file.exists():
            continue
        seen.add(path)
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target / path)
        for name in needed(file):
            places = (libraries / name, PurePosixPath("usr/lib") / name, libraries / "asterisk" / name)
            found = next((place for place in places if (source / place).exists()), None)
            if found is None:
                raise InstallError(f"{path.name} needs {name}, which no package brought")
            # Everything lands in the one folder that the loader searches.
            todo.append(found)
            if found.parent != libraries and found not in seen:
                link = target / libraries / name
                link.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source / found, link)
    if not (target / "usr/sbin/asterisk").exists():
        raise InstallError("the packages hold no /usr/sbin/asterisk")
    for name in _DATA:
        if (source / "usr/share/asterisk" / name).exists():
            shutil.copytree(source / "usr/share/asterisk" / name, target / "usr/share/asterisk" / name)


def _debian() -> bool:
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
    facts = dict(line.split("=", 1) for line in lines if "=" in line)
    words = f"{facts.get('ID', '')} {facts.get('ID_LIKE', '')}".replace('"', "").split()
    return "debian" in words and "ubuntu" not in words


def _native() -> str:
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)


@contextlib.contextmanager
def _locked(path: Path, progress: Progress) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            progress("another process fetches Asterisk: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _run(command: Iterable[str], timeout: float = 60) -> str:
    command = list(command)
    environment = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False, env=environment)
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{command[0]} took longer than {timeout:.0f} s") from error
    if done.returncode:
        words = [line for line in (done.stderr or done.stdout).splitlines() if line.startswith(("E:", "W:"))]
        raise InstallError(f"{command[0]} {command[-1]} failed: {' '.join(words)[:500] or done.stderr[-500:]}")
    return done.stdout


def main() -> None:
    """``python -m telephony.asterisk.install [folder]`` finds or fetches Asterisk and prints where it is."""
    cache = Path(sys.argv[1]) if len(sys.argv) > 1 else Path.home() / ".cache/callweave"
    installation = resolve(cache, progress=lambda line: print(line, flush=True))  # noqa: T201
    print(installation.kind, installation.version, installation.binary)  # noqa: T201


if __name__ == "__main__":
    main()
