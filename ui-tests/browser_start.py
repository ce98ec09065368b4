#!/usr/bin/env python3
"""Execute Chromium so that it cannot see changes of this machine's network: browser_start.py ARGUMENT...

When an interface gets an address, Chromium aborts all of its requests with ERR_NETWORK_CHANGED, also those to this machine, and
JupyterLab reports that it lost its server. Other tests create interfaces at the same time, for hosts that accept SSH logins.
Here the kernel refuses netlink sockets, from which Chromium learns of changes: it then expects none.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
"""From linux/prctl.h and linux/seccomp.h."""
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.EAFNOSUPPORT
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
"""Classic BPF: load 32 bits of the system call's data, compare, return. From linux/bpf_common.h."""
CALL_OFFSET, FIRST_ARGUMENT_OFFSET = 0, 16
"""Positions in `struct seccomp_data`."""
SOCKET_CALLS = {"x86_64": 41, "aarch64": 198}
"""The number of the system call `socket`."""


class Program(ctypes.Structure):
    """`struct sock_fprog`: the number of instructions, and the instructions."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def refuse_netlink() -> None:
    """Let `socket` fail for netlink in this process and those that it starts.

    Raises:
        OSError: the kernel does not allow it.
    """
    instructions = [
        (LOAD, 0, 0, CALL_OFFSET),
        (JUMP_IF_EQUAL, 0, 3, SOCKET_CALLS[platform.machine()]),
        (LOAD, 0, 0, FIRST_ARGUMENT_OFFSET),
        (JUMP_IF_EQUAL, 0, 1, socket.AF_NETLINK),
        (RETURN, 0, 0, REFUSE),
        (RETURN, 0, 0, ALLOW),
    ]
    code = b"".join(struct.pack("HBBI", *each) for each in instructions)
    libc = ctypes.CDLL(None, use_errno=True)
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Program(len(instructions), code)), 0, 0),
    ):
        if libc.prctl(*call):
            raise OSError(ctypes.get_errno(), "the network cannot be hidden from the browser")


if __name__ == "__main__":
    refuse_netlink()
    os.execvp("chromium", ["chromium", *sys.argv[1:]])
