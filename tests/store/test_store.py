"""The built-in store, over HTTP, as a process."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from satflow_ext.bounded_listener import FOREIGN_LIMIT
from satflow_ext.store.contents import Contents
from tests.store.store_process import TOKEN, StartStore, StoreProcess
from tests.strangers import HOLD_CONNECTIONS, stranger


def digest_of(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def kept(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def raw(store: StoreProcess, request: bytes, *, break_off: bool = False) -> bytes:
    """Send bytes as they are, and read up to the end of the answer's headers."""
    where = urlsplit(store.url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(request)
        if break_off:
            connection.shutdown(socket.SHUT_WR)
        received = b""
        while b"\r\n\r\n" not in received and (chunk := connection.recv(65536)):
            received += chunk
        return received


def head_of_put(digest: str, *headers: str) -> bytes:
    lines = [f"PUT /contents/{digest} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {TOKEN}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def test_a_content_comes_back_as_it_was_sent(store: StoreProcess) -> None:
    body = os.urandom(300_000)
    assert store.put(digest_of(body), body).status_code == 201
    answer = store.get(digest_of(body))
    assert answer.content == body
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_head_says_the_size_and_sends_nothing(store: StoreProcess) -> None:
    store.put(digest_of(b"four"), b"four")
    answer = store.http.head(f"{store.url}/{digest_of(b'four')}")
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "4", b"")


def test_the_same_content_again_is_no_news(store: StoreProcess) -> None:
    assert store.put(digest_of(b"x"), b"x").status_code == 201
    assert store.put(digest_of(b"x"), b"x").status_code == 200


def test_an_empty_content_is_a_content(store: StoreProcess) -> None:
    assert store.put(digest_of(b""), b"").status_code == 201
    assert store.get(digest_of(b"")).content == b""


def test_other_bytes_than_the_digest_names_are_not_kept(store: StoreProcess, tmp_path: Path) -> None:
    assert store.put(digest_of(b"right"), b"wrong").status_code == 400
    assert kept(tmp_path / "store") == []


def test_an_unknown_digest_is_404_in_json(store: StoreProcess) -> None:
    answer = store.get(digest_of(b"never sent"))
    assert answer.status_code == 404
    assert answer.json()["error"] == "Not Found"


def test_a_body_over_the_limit_is_refused(store: StoreProcess, tmp_path: Path) -> None:
    body = b"x" * 1_000_001
    assert store.put(digest_of(body), body).status_code == 413
    assert kept(tmp_path / "store") == []


def test_a_body_over_the_limit_without_a_length_is_refused(store: StoreProcess, tmp_path: Path) -> None:
    body = b"x" * 2_000_000
    parts = (body[at : at + 10_000] for at in range(0, len(body), 10_000))
    assert store.http.put(f"{store.url}/{digest_of(body)}", content=parts).status_code == 413
    assert kept(tmp_path / "store") == []


def test_a_body_at_the_limit_is_kept(store: StoreProcess) -> None:
    body = b"x" * 1_000_000
    assert store.put(digest_of(body), body).status_code == 201


def test_a_body_that_breaks_off_is_not_kept(store: StoreProcess, tmp_path: Path) -> None:
    answer = raw(store, head_of_put(digest_of(b"whole"), "Content-Length: 5") + b"who", break_off=True)
    assert b" 201 " not in answer
    assert store.get(digest_of(b"whole")).status_code == 404
    assert kept(tmp_path / "store") == []


def test_senders_and_readers_who_hang_up_are_no_failure_of_the_store(
    start_store: StartStore, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the store was doing with the content at that moment."""
    store = start_store(limit=20_000_000)
    where = urlsplit(store.url)
    bodies = [bytes([number]) * 900_000 for number in range(40)]
    for body in bodies:
        with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
            connection.sendall(head_of_put(digest_of(body), f"Content-Length: {len(body)}") + body)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    long = bytes(20_000_000)
    assert store.put(digest_of(long), long).status_code == 201
    for _ in range(3):
        with store.http.stream("GET", f"{store.url}/{digest_of(long)}") as answer:
            next(answer.iter_raw(1000))
    assert store.get(digest_of(b"nothing")).status_code == 404
    assert all(digest_of(path.read_bytes()).endswith(path.name) for path in kept(tmp_path / "store"))
    assert "Uncaught exception" not in capfd.readouterr().err


def test_bytes_after_the_body_are_not_part_of_it(store: StoreProcess) -> None:
    answer = raw(store, head_of_put(digest_of(b"whole"), "Content-Length: 5") + b"whole and more")
    assert b" 201 " in answer
    assert store.get(digest_of(b"whole")).content == b"whole"


def test_a_length_that_lies_is_refused_before_the_body(store: StoreProcess) -> None:
    answer = raw(store, head_of_put(digest_of(b"x"), "Content-Length: 99999999999999"))
    assert answer.startswith(b"HTTP/1.1 413 ")


def test_an_encoded_body_is_refused(store: StoreProcess, tmp_path: Path) -> None:
    answer = store.http.put(f"{store.url}/{digest_of(b'x')}", content=b"x", headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert kept(tmp_path / "store") == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": TOKEN},
        {"Cookie": f"token={TOKEN}"},
        {"Authorization": "Bearer \u00e4\u00f6"},
    ],
)
def test_nobody_comes_in_without_the_credential(store: StoreProcess, method: str, headers: dict[str, str]) -> None:
    body = b"x"
    store.put(digest_of(body), body)
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    answer = httpx.request(method, f"{store.url}/{digest_of(body)}", headers=encoded, trust_env=False)
    assert answer.status_code == 401
    if method != "HEAD":
        assert answer.json()["error"] == "Unauthorized"


def test_the_credential_in_the_url_is_none(store: StoreProcess) -> None:
    answer = httpx.get(f"{store.url}/{digest_of(b'x')}?token={TOKEN}", trust_env=False)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/contents",
        "/contents/",
        "/contents/sha256:../../../../etc/passwd",
        "/contents/..%2f..%2fetc%2fpasswd",
        "/contents/sha256:" + "a" * 63,
        "/contents/sha256:" + "A" * 64,
        "/contents/sha256:" + "a" * 64 + "%0a",
        "/contents/sha256:" + "a" * 64 + "/",
        "/contents/sha256%3A" + "a" * 64 + "/../x",
        "/incoming",
    ],
)
def test_no_other_path_is_anything(store: StoreProcess, path: str) -> None:
    target = path.encode()
    request = b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n"
    answer = raw(store, request + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"root:" not in answer


def test_nothing_can_be_removed_or_posted(store: StoreProcess) -> None:
    for method in ("DELETE", "POST", "PATCH", "OPTIONS"):
        assert store.http.request(method, f"{store.url}/{digest_of(b'x')}").status_code == 405


@pytest.mark.parametrize("method", ["DELETE", "MOVE", "PROPFIND", "TRACE"])
def test_a_method_is_refused_when_its_body_has_come(store: StoreProcess, method: str) -> None:
    """An answer before it would close the connection on a body that is on its way, and reset it at the sender."""
    where = urlsplit(store.url)
    head = head_of_put(digest_of(b"x"), "Content-Length: 7").replace(b"PUT", method.encode(), 1)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(head)
        store.get(digest_of(b"y"))  # when this is answered, the head that came before it has been read
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
        connection.settimeout(10)
        connection.sendall(b"changed")
        assert connection.recv(65536).startswith(b"HTTP/1.1 405 ")


def test_contents_survive_a_restart_and_what_was_left_half_done_does_not(
    start_store: StartStore, tmp_path: Path
) -> None:
    first = start_store()
    first.put(digest_of(b"kept"), b"kept")
    first.process.kill()
    first.process.wait()
    (tmp_path / "store" / "incoming" / "half").write_bytes(b"half")
    second = start_store()
    assert second.get(digest_of(b"kept")).content == b"kept"
    assert [path.read_bytes() for path in kept(tmp_path / "store")] == [b"kept"]


def test_many_senders_of_the_same_content_all_succeed(store: StoreProcess, tmp_path: Path) -> None:
    body = os.urandom(200_000)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.put(digest_of(body), body).status_code, range(24)))
    assert set(answers) <= {200, 201}
    assert 201 in answers
    assert store.get(digest_of(body)).content == body
    assert len(kept(tmp_path / "store")) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="mounts a small file system")
def test_a_full_disk_is_507_and_keeps_nothing(start_store: StartStore, tmp_path: Path) -> None:
    root = tmp_path / "small"
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(root)], check=True)
    try:
        store = start_store(root)
        body = os.urandom(900_000)
        assert store.put(digest_of(body), body).status_code == 507
        assert kept(root) == []
        assert store.put(digest_of(b"small"), b"small").status_code == 201
        store.stop()
    finally:
        subprocess.run(["umount", str(root)], check=True)


@pytest.mark.slow
def test_a_token_that_others_may_read_is_refused(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o644)
    ended = subprocess.run(
        [sys.executable, "-m", "satflow_ext.store", "--root", str(tmp_path / "s"), "--token-file", str(token)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert "mode 0600" in ended.stderr
    assert TOKEN not in ended.stderr


def test_files_are_private(store: StoreProcess, tmp_path: Path) -> None:
    store.put(digest_of(b"x"), b"x")
    modes = {path: path.stat().st_mode & 0o077 for path in (tmp_path / "store").rglob("*")}
    assert set(modes.values()) == {0}


@pytest.mark.parametrize("descriptors", [512, 1024])
def test_idle_connections_of_another_user_do_not_keep_it_from_answering(start_store, descriptors):
    store = start_store(descriptors=descriptors)
    port = urlsplit(store.url).port
    with stranger(HOLD_CONNECTIONS, port, 1100) as flood:
        assert flood.read() == "opened 1100"
        body = os.urandom(1000)
        digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
        assert store.put(digest, body).status_code == 201
        assert store.get(digest).content == body
        kept = [each for each in psutil.Process(store.process.pid).net_connections() if each.status == "ESTABLISHED"]
        assert len(kept) <= FOREIGN_LIMIT + 2


def link_content(root: Path, digest: str, target: Path) -> None:
    path = root / "sha256" / digest[7:9] / digest[7:]
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(target)


def link_folder(root: Path, digest: str, target: Path) -> None:
    folder = target.with_suffix(".folder")
    folder.mkdir()
    (folder / digest[7:]).write_bytes(target.read_bytes())
    (root / "sha256" / digest[7:9]).symlink_to(folder)


def make_fifo(root: Path, digest: str, _target: Path) -> None:
    path = root / "sha256" / digest[7:9] / digest[7:]
    path.parent.mkdir(exist_ok=True)
    os.mkfifo(path)


@pytest.mark.parametrize("place", [link_content, link_folder, make_fifo])
def test_a_link_in_its_folder_is_not_followed_and_an_upload_replaces_it(start_store, tmp_path, place):
    body = b"outside of the store"
    digest, target = digest_of(body), tmp_path / "outside"
    target.write_bytes(body)
    root = tmp_path / "store"
    store = start_store(root)
    place(root, digest, target)
    assert store.get(digest).status_code == 404
    assert store.http.head(f"{store.url}/{digest}").status_code == 404
    assert list(Contents(root, limit=1).list_contents()) == []
    assert store.put(digest, body).status_code == 201
    assert store.get(digest).content == body
    path = root / "sha256" / digest[7:9] / digest[7:]
    assert path.is_file()
    assert not path.is_symlink()
    assert not path.parent.is_symlink()
    assert target.read_bytes() == body


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sha256", "incoming"])
def test_it_does_not_start_on_folders_that_are_links(tmp_path, name):
    root, elsewhere, token = tmp_path / "store", tmp_path / "elsewhere", tmp_path / "token"
    for folder in (root, elsewhere):
        folder.mkdir()
    (elsewhere / "precious").write_text("not of the store")
    (root / name).symlink_to(elsewhere)
    token.write_text(TOKEN)
    token.chmod(0o600)
    command = [sys.executable, "-m", "satflow_ext.store", "--root", str(root), "--token-file", str(token)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ended.returncode == 1
    assert f"{root / name} is a symbolic link" in ended.stderr
    assert (elsewhere / "precious").exists()
