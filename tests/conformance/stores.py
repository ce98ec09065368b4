"""The stores that the checks are let loose on: the built-in one, Debian's nginx with WebDAV, and moto's S3 server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3

from satflow_ext.endpoints import AwsCredential, Store
from tests.registration.nginx import running_nginx

SECRET = "Bearer a-credential-of-the-tests"
PAGE = Path(__file__).parents[2] / "docs" / "stores.md"
PLACES = {
    "listen 127.0.0.1:8080;": "listen 127.0.0.1:{port};",
    "root /srv/satflow;": "root {root}/files;",
    "Bearer change-me": "{secret}",
}
"""What of the documented nginx is another machine's."""
REGION = "us-east-1"
POLICY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}'


@contextmanager
def builtin(folder: Path) -> Iterator[Store]:
    """The built-in store."""
    token = folder / "token"
    token.write_text(SECRET.removeprefix("Bearer "))
    token.chmod(0o600)
    arguments = ["--root", folder / "store", "--token-file", token]
    process = subprocess.Popen(
        [sys.executable, "-m", "satflow_ext.store", *arguments], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with ending(process), process.stdout:
        url = process.stdout.readline().strip()
        yield Store("built-in", f"{url}/{{digest}}", headers={"Authorization": SECRET})


@contextmanager
def nginx(folder: Path) -> Iterator[Store]:
    """Debian's nginx with the configuration that docs/stores.md gives."""
    with running_nginx(folder, SECRET, _documented()) as url:
        yield Store("nginx", url, headers={"Authorization": SECRET})


def _documented() -> str:
    """The server of docs/stores.md, on a port and a folder of ours."""
    block = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block
    server = block[1].replace("{", "{{").replace("}", "}}")
    for theirs, ours in PLACES.items():
        assert theirs in server
        server = server.replace(theirs, ours)
    return server


@contextmanager
def s3(folder: Path) -> Iterator[Store]:
    """Moto's S3, which checks who signs from its fifth request on: the first four make a user and a bucket."""
    environment = {**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "4"}
    command = [sys.executable, "-m", "tests.conformance.s3"]
    with (folder / "moto.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        with ending(process), process.stdout:
            address = process.stdout.readline().strip()
            yield Store("s3", f"{address}/contents/satflow/{{digest}}", aws=_user_with_bucket(address))


def _user_with_bucket(address: str) -> AwsCredential:
    options = {
        "endpoint_url": address,
        "region_name": REGION,
        "aws_access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key": "nobody's",
    }
    iam = boto3.client("iam", **options)
    iam.create_user(UserName="satflow")
    key = iam.create_access_key(UserName="satflow")["AccessKey"]
    iam.put_user_policy(UserName="satflow", PolicyName="contents", PolicyDocument=POLICY)
    boto3.client("s3", **options).create_bucket(Bucket="contents")
    return AwsCredential(REGION, key["AccessKeyId"], key["SecretAccessKey"])


@contextmanager
def ending(process: subprocess.Popen[str]) -> Iterator[None]:
    """End the process with the block."""
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=10)
