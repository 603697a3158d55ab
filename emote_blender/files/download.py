"""Downloads of files whose size and checksum are known: they go on where they ended, and are whole or not there.

A file is written beside its place with the suffix `.part` and renamed once its SHA-256 is right. A cancelled or failed
download keeps the part. The checksum makes it needless to ask the server whether the file has changed meanwhile.
"""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO
from urllib.parse import urlsplit

from ..errors import Cancelled, InputError
from ..version import package_version

PART = ".part"
_SCHEMES = ("https",)
_TIMEOUT_SECONDS = 10.0  # without a byte; also the longest time that cancelling takes
_WAIT_SECONDS = (1.0, 3.0, 9.0)  # before the next try when nothing at all has arrived since the last
_CHUNK_BYTES = 1 << 18
_SPARE_BYTES = 64 << 20  # of disk space
_AGAIN = (408, 425, 429, 500, 502, 503, 504)  # HTTP codes that may pass
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT if hasattr(errno, "EDQUOT") else errno.ENOSPC)

Progress = Callable[[float, str], None]
IsCancelled = Callable[[], bool]


@dataclass(frozen=True)
class RemoteFile:
    """A file to download.

    Attributes:
        url: its address.
        place: its path below the folder, with "/".
        num_bytes: its size.
        sha256: its checksum, 64 hexadecimal digits.
    """

    url: str
    place: str
    num_bytes: int
    sha256: str


class _Interrupted(Exception):
    """The connection failed; another try may go on."""


def download_files(
    files: Sequence[RemoteFile],
    folder: Path,
    progress: Progress | None = None,
    cancelled: IsCancelled | None = None,
) -> None:
    """Download files into a folder; those that are there already, with the right checksum, stay.

    Args:
        files: the files, in the order in which they are downloaded.
        folder: the folder; it is made if it is missing.
        progress: called with a fraction 0 to 1 and a text.
        cancelled: called several times a second while bytes arrive.

    Raises:
        InputError: if the network, the server or the disk fails, or a file is not what was announced.
        Cancelled: if `cancelled` returns True; the next call goes on where this one ended.
    """
    total = sum(file.num_bytes for file in files)
    work = _Work(progress, cancelled, max(total, 1))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_space(files, folder)
        for file in files:
            _download(file, folder / file.place, work)
            work.done += file.num_bytes
    except OSError as error:
        raise _disk_error(folder, error) from error


class _Work:
    """Progress and cancellation over all files."""

    def __init__(self, progress: Progress | None, cancelled: IsCancelled | None, total: int) -> None:
        self._progress, self._cancelled, self._total = progress, cancelled, total
        self.done = 0  # bytes of the files that are complete

    def report(self, num_bytes: int, text: str) -> None:
        """Report that this many bytes of the present file are done; raises Cancelled."""
        self.check()
        if self._progress is not None:
            self._progress(min(1.0, (self.done + num_bytes) / self._total), text)

    def check(self) -> None:
        """Raise Cancelled if the user stopped the work."""
        if self._cancelled is not None and self._cancelled():
            raise Cancelled("cancelled; Download goes on where it ended")

    def wait(self, seconds: float) -> None:
        """Wait before the next try; raises Cancelled."""
        never = Event()
        for _ in range(max(1, round(seconds / 0.1))):
            self.check()
            never.wait(min(seconds, 0.1))


def _check_space(files: Sequence[RemoteFile], folder: Path) -> None:
    """Raise InputError if the disk has no room for what is missing."""
    there = sum(
        path.stat().st_size
        for file in files
        for path in (folder / file.place, folder / (file.place + PART))
        if path.is_file()
    )
    needed = sum(file.num_bytes for file in files) - there
    free = shutil.disk_usage(folder).free
    if needed > 0 and free < needed + _SPARE_BYTES:
        raise InputError(
            f"{folder} has {free >> 20} MB of free space, and {(needed + _SPARE_BYTES) >> 20} MB are needed; make room "
            "or choose another disk"
        )


def _download(file: RemoteFile, path: Path, work: _Work) -> None:
    """Download one file, or leave it if it is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PART)
    if path.is_file():
        if path.stat().st_size == file.num_bytes and _digest(path, work) == file.sha256:
            return
        os.replace(path, part)  # half a file, or another one
    if part.is_file() and part.stat().st_size > file.num_bytes:
        part.unlink()
    resumed = part.is_file() and part.stat().st_size > 0
    _fetch(file, part, work)
    digest = _digest(part, work)
    if digest != file.sha256 and resumed:  # the old part was not of this file
        part.unlink()
        _fetch(file, part, work)
        digest = _digest(part, work)
    if digest != file.sha256:
        part.unlink()
        raise InputError(
            f"{file.place} has another checksum than announced (SHA-256 {digest[:12]}…, not {file.sha256[:12]}…): the "
            "file was changed on its way or at its source; it was deleted. Try again later or from another network"
        )
    os.replace(part, path)


def _fetch(file: RemoteFile, part: Path, work: _Work) -> None:
    """Download what is missing of a file; several tries if the connection fails."""
    tries = 0
    while True:
        before = part.stat().st_size if part.is_file() else 0
        if before == file.num_bytes:
            return
        try:
            _fetch_once(file, part, before, work)
            return
        except _Interrupted as error:
            arrived = (part.stat().st_size if part.is_file() else 0) > before
            tries = 0 if arrived else tries + 1
            if tries > len(_WAIT_SECONDS):
                raise InputError(
                    f"{urlsplit(file.url).hostname} cannot be reached or does not answer ({error}); check the network "
                    "and press Download again, which goes on where it ended"
                ) from error
            work.wait(_WAIT_SECONDS[max(tries - 1, 0)])


def _fetch_once(file: RemoteFile, part: Path, start: int, work: _Work) -> None:
    """One try to download a file from byte `start`; raises _Interrupted if the connection fails."""
    headers = {"User-Agent": f"emote_blender/{package_version()}", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    _check_scheme(file.url)
    work.report(start, f"Downloading {Path(file.place).name}")
    opener = urllib.request.build_opener(_CheckedRedirects)
    try:
        response = opener.open(urllib.request.Request(file.url, headers=headers), timeout=_TIMEOUT_SECONDS)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the part has nothing in common with the file that the server has now
            part.unlink()
            raise _Interrupted("the server does not continue the file") from error
        if error.code in _AGAIN:
            raise _Interrupted(f"HTTP {error.code}") from error
        raise InputError(
            f"{urlsplit(file.url).hostname} does not give {file.place} (HTTP {error.code} {error.reason}); look for a "
            "newer version of the add-on, or download the model by hand"
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(_reason(error)) from error
    with response:
        if response.status != 206:
            start = 0  # the server begins anew
        elif not (response.headers.get("Content-Range") or "").startswith(f"bytes {start}-"):
            part.unlink(missing_ok=True)
            raise _Interrupted("the server continues at another place than asked")
        _check_length(file, response, start)
        with part.open("ab" if start else "wb") as output:
            _copy(file, response, output, start, work)


def _copy(file: RemoteFile, response: http.client.HTTPResponse, output: IO[bytes], start: int, work: _Work) -> None:
    """Write what arrives until the file is whole; raises _Interrupted if it ends before."""
    position = start
    text = f"Downloading {Path(file.place).name}"
    while position < file.num_bytes:
        try:
            chunk = response.read1(min(_CHUNK_BYTES, file.num_bytes - position))
        except (OSError, http.client.HTTPException) as error:
            raise _Interrupted(_reason(error)) from error
        if not chunk:
            raise _Interrupted(f"the connection ended at {position} of {file.num_bytes} bytes")
        output.write(chunk)
        position += len(chunk)
        work.report(position, text)


def _check_length(file: RemoteFile, response: http.client.HTTPResponse, start: int) -> None:
    """Raise InputError if the server has a file of another size, such as the page of a hotel's network."""
    length = response.headers.get("Content-Length")
    if length is None or not length.isdigit() or start + int(length) == file.num_bytes:
        return
    kind = response.headers.get_content_type()
    raise InputError(
        f"{urlsplit(response.url).hostname} gives {start + int(length)} bytes of {kind} for {file.place}, which has "
        f"{file.num_bytes}; if this network asks for a sign-in, do that in a browser first"
    )


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to allowed schemes only."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        """The next request; raises InputError for one that is not encrypted."""
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _check_scheme(url: str) -> None:
    if urlsplit(url).scheme not in _SCHEMES:
        raise InputError(f"{url[:100]} is no address that starts with {_SCHEMES[0]}://; nothing was downloaded from it")


def _digest(path: Path, work: _Work) -> str:
    """SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as content:
        size = 0
        while chunk := content.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
            work.report(size, f"Checking {path.name.removesuffix(PART)}")
    return digest.hexdigest()


def _disk_error(folder: Path, error: OSError) -> InputError:
    """The error for a folder that cannot be written."""
    if error.errno in _DISK_FULL:
        return InputError(
            f"the disk of {folder} is full; make room and press Download again, which goes on where it ended"
        )
    return InputError(
        f"{error.filename or folder} cannot be written ({error.strerror or error}); unlock the folder, or download the "
        "model by hand into another one"
    )


def _reason(error: BaseException) -> str:
    """What an error of the network says."""
    inner = getattr(error, "reason", None)
    return str(inner if inner is not None else error) or type(error).__name__
