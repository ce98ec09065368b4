"""The keyring on a real disk: made once however many ask, and refused where anybody else could get at it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from satflow_ext.errors import KeysRefused, NotTrusted, SignatureWrong
from satflow_ext.keys import Keyring, PublicKey, read_trusted_keys
from satflow_ext.keys.public import parse_key, parse_keys
from satflow_ext.settings import Settings

PURPOSE = b"test 1\n"


@pytest.fixture
def here(tmp_path) -> Settings:
    return Settings(state_dir=tmp_path / "state", runtime_dir=tmp_path / "run")


@pytest.fixture
def elsewhere(tmp_path) -> Settings:
    return Settings(state_dir=tmp_path / "elsewhere", runtime_dir=tmp_path / "run")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def check(settings, seal, message=b"message"):
    return read_trusted_keys(settings).verify(PURPOSE, message, seal, "It")


def test_looking_makes_nothing(here):
    assert Keyring(here).public_key() is None
    assert Keyring(here).list_keys() == ()
    assert read_trusted_keys(here).keys == {}
    assert not here.state_dir.exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o027, 0o077])
def test_the_key_is_made_on_first_use_for_its_owner_alone(here, umask):
    here.state_dir.mkdir()
    before = os.umask(umask)
    try:
        signer = Keyring(here).get_signer()
    finally:
        os.umask(before)
    assert Keyring(here).get_signer().public_key == signer.public_key
    folder = here.state_dir / "keys"
    assert mode(folder) & 0o077 == mode(folder / "trusted") & 0o077 == 0
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"signing.pem", ".lock", f"{signer.public_key.id}.json"}
    assert {mode(path) & 0o077 for path in files} == {0}


def test_what_the_user_signs_is_trusted_here_and_nowhere_else(here, elsewhere):
    seal = Keyring(here).get_signer().seal(PURPOSE, b"message")
    assert check(here, seal).id == Keyring(here).public_key().id
    with pytest.raises(SignatureWrong):
        check(here, seal, b"massage")
    with pytest.raises(NotTrusted, match=r"trusted: none"):
        check(elsewhere, seal)


@pytest.mark.slow
def test_processes_that_start_at_once_make_one_key(here):
    program = (
        "import sys; from pathlib import Path; from satflow_ext.keys import Keyring; from satflow_ext.settings import Settings;"
        "keyring = Keyring(Settings(state_dir=Path(sys.argv[1]))); sys.stdin.read(); print(keyring.get_signer().public_key.id)"
    )
    command = [sys.executable, "-c", program, str(here.state_dir)]
    started = [subprocess.Popen(command, stdin=-1, stdout=-1, text=True) for _ in range(6)]
    for process in started:
        process.stdin.close()
    made = {process.stdout.read().strip() for process in started}
    assert [process.wait() for process in started] == [0] * 6
    assert made == {Keyring(here).public_key().id}
    assert len(Keyring(here).list_keys()) == 1


# --- rotation, trust, revocation ------------------------------------------------------------------------------------------


def test_after_a_rotation_the_old_key_is_trusted_until_it_is_revoked(here):
    keyring = Keyring(here)
    old = keyring.get_signer()
    seal = old.seal(PURPOSE, b"message")
    new = keyring.rotate()
    assert keyring.get_signer().public_key == new.public_key != old.public_key
    assert check(here, seal).raw == old.public_key.raw
    keyring.revoke(old.public_key.id)
    with pytest.raises(NotTrusted, match="which was revoked here"):
        check(here, seal)
    assert check(here, new.seal(PURPOSE, b"message")).raw == new.public_key.raw


def test_the_key_that_signs_is_not_revoked(here):
    keyring = Keyring(here)
    signing = keyring.get_signer().public_key.id
    with pytest.raises(KeysRefused, match=r"is your signing key\. First run `satflow keys rotate`"):
        keyring.revoke(signing)


def test_a_strangers_key_is_trusted_revoked_and_trusted_again(here, elsewhere):
    stranger = Keyring(elsewhere).get_signer()
    seal = stranger.seal(PURPOSE, b"message")
    keyring = Keyring(here)
    entry = keyring.trust(Keyring(elsewhere).public_key())
    assert not entry.own
    assert check(here, seal).name == Keyring(elsewhere).public_key().name != ""
    keyring.revoke(stranger.public_key.id)
    with pytest.raises(NotTrusted):
        check(here, seal)
    keyring.trust(stranger.public_key)
    assert check(here, seal).raw == stranger.public_key.raw


def test_trusting_ones_own_key_leaves_it_ones_own(here):
    keyring = Keyring(here)
    assert keyring.trust(keyring.get_signer().public_key).own


def test_revoking_what_is_not_there_is_refused(here):
    with pytest.raises(KeysRefused, match="No key has the id 'abc'"):
        Keyring(here).revoke("abc")


# --- SATFLOW_TRUSTED_KEYS -----------------------------------------------------------------------------------------------


def with_keys(settings, words):
    return settings.model_copy(update={"trusted_keys": words})


def test_keys_in_the_setting_or_in_a_file_of_it_are_trusted(here, elsewhere, tmp_path):
    signer = Keyring(elsewhere).get_signer()
    seal = signer.seal(PURPOSE, b"message")
    text = f"# the team's\n\n{signer.public_key.text} anna@laptop\n"
    file = tmp_path / "trusted-keys"
    file.write_text(text)
    file.chmod(0o644)
    link = tmp_path / "link"
    link.symlink_to(file)  # as Kubernetes mounts a ConfigMap
    for words in (text, signer.public_key.text, str(file), str(link)):
        assert check(with_keys(here, words), seal).raw == signer.public_key.raw


def test_a_revoked_key_does_not_come_back_through_the_setting(here, elsewhere):
    key = Keyring(elsewhere).get_signer().public_key
    Keyring(here).trust(key)
    Keyring(here).revoke(key.id)
    assert read_trusted_keys(with_keys(here, key.text)).keys == {}


@pytest.mark.parametrize("words", ["ed25519:", "# nothing", "/nowhere/at/all", "ed25519:AAAA", "ssh-ed25519 AAAA", "/"])
def test_a_setting_that_names_no_key_is_refused(here, words):
    with pytest.raises(KeysRefused) as caught:
        read_trusted_keys(with_keys(here, words))
    assert caught.value.fix


def test_a_file_that_is_no_text_is_refused(here, tmp_path):
    (tmp_path / "keys").write_bytes(b"\xff\xfe")
    with pytest.raises(KeysRefused, match="is not a text file"):
        read_trusted_keys(with_keys(here, str(tmp_path / "keys")))


def test_a_file_of_keys_that_others_can_change_is_refused(here, elsewhere, tmp_path):
    file = tmp_path / "trusted-keys"
    file.write_text(Keyring(elsewhere).get_signer().public_key.text)
    file.chmod(0o664)
    with pytest.raises(KeysRefused, match=r"Other users can change .*mode 0664"):
        read_trusted_keys(with_keys(here, str(file)))


# --- files that somebody else could get at ----------------------------------------------------------------------------


def replaced_by_link(path: Path, away: Path) -> None:
    path.rename(away)
    path.symlink_to(away)


def replaced_by_file(path: Path, away: Path) -> None:
    path.rename(away)
    path.touch(0o600)


def replaced_by_pipe(path: Path, away: Path) -> None:
    path.rename(away)
    os.mkfifo(path, 0o600)


def opened_to(bits: int):
    return lambda path, _: path.chmod(path.stat().st_mode | bits)


def written(content: bytes):
    return lambda path, _: path.write_bytes(content)


FOLDER = {
    "readable": opened_to(0o040),
    "writable": opened_to(0o002),
    "a link": replaced_by_link,
    "a file": replaced_by_file,
}
PRIVATE = {
    "readable": opened_to(0o004),
    "group-readable": opened_to(0o040),
    "a link": replaced_by_link,
    "a pipe": replaced_by_pipe,
    "large": written(b"x" * 70_000),
}
PUBLIC = {
    "writable": opened_to(0o002),
    "a link": replaced_by_link,
    "misnamed": lambda path, _: path.rename(path.with_name("0123456789abcdef.json")),
    "no key": written(b"{}"),
}


@pytest.mark.parametrize(
    "spoil", [*FOLDER.values(), *PRIVATE.values()], ids=[*FOLDER, *(f"file {how}" for how in PRIVATE)]
)
def test_a_private_key_that_others_could_get_at_is_refused(here, spoil):
    Keyring(here).get_signer()
    folder = here.state_dir / "keys"
    spoil(folder if spoil in FOLDER.values() else folder / "signing.pem", here.state_dir / "away")
    with pytest.raises(KeysRefused) as caught:
        Keyring(here).get_signer()
    assert str(folder) in caught.value.message
    assert caught.value.fix


@pytest.mark.parametrize(
    "spoil", [*FOLDER.values(), *PUBLIC.values()], ids=[*FOLDER, *(f"file {how}" for how in PUBLIC)]
)
@pytest.mark.parametrize("which", ["keys", "keys/trusted"])
def test_trusted_keys_that_others_could_change_are_refused(here, spoil, which):
    key = Keyring(here).get_signer().public_key
    folder = here.state_dir / which
    entry = here.state_dir / "keys" / "trusted" / f"{key.id}.json"
    spoil(folder if spoil in FOLDER.values() else entry, here.state_dir / "away")
    with pytest.raises(KeysRefused) as caught:
        read_trusted_keys(here)
    assert str(here.state_dir / "keys") in caught.value.message


def test_a_key_of_another_user_is_refused(here, monkeypatch):
    Keyring(here).get_signer()
    me = os.getuid()
    monkeypatch.setattr(
        os, "getuid", lambda: me + 1
    )  # giving a file away needs root; being another user looks the same
    with pytest.raises(KeysRefused, match=f"belongs to user {me}"):
        Keyring(here).get_signer()


@pytest.mark.parametrize("content", [b"", b"no key", None])
def test_a_file_without_an_ed25519_key_is_refused(here, content):
    Keyring(here).get_signer()
    other = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (here.state_dir / "keys" / "signing.pem").write_bytes(other if content is None else content)
    with pytest.raises(KeysRefused, match="contains no Ed25519 private key"):
        Keyring(here).get_signer()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(KeysRefused, match="cannot be created"):
        Keyring(Settings(state_dir=tmp_path / "file" / "state")).get_signer()


def test_a_lock_that_cannot_be_had_is_told(here):
    Keyring(here).get_signer()
    lock = here.state_dir / "keys" / ".lock"
    lock.unlink()
    lock.symlink_to(here.state_dir / "elsewhere")
    with pytest.raises(KeysRefused, match="cannot be locked"):
        Keyring(here).rotate()


# --- the line of text ---------------------------------------------------------------------------------------------------


def test_a_key_survives_its_line_of_text():
    key = PublicKey(bytes(range(32)), "anna of the laptop")
    assert parse_key(f"  {key.text}\n") == key
    assert parse_keys(f"# ours\n\n{key.text}\n{key.text}") == (key, key)
    assert len(key.id) == 16


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ed25519:",
        "ed25519:!!!!",
        "ed25519:" + "A" * 40 + "===",
        "rsa:" + "A" * 43 + "=",
        f"ed25519:{'A' * 43}= \x1b[31m",
        f"ed25519:{'A' * 43}= {'n' * 101}",
    ],
)
def test_other_lines_are_no_keys(line):
    with pytest.raises(KeysRefused, match="is not a public key"):
        parse_key(line)
