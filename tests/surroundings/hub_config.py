"""A JupyterHub below a path, with its usual proxy, that starts the servers of Unix users."""

import os
import shutil
import sys
from pathlib import Path

c = get_config()  # noqa: F821 - JupyterHub provides it

PREFIX = Path(sys.prefix).parent
"""The environment of the tests; this one is inside of it."""
PATHS = [PREFIX.parent / "node_modules" / ".bin", os.environ["PATH"]]

proxy = shutil.which("configurable-http-proxy", path=os.pathsep.join(map(str, PATHS)))
assert proxy, "configurable-http-proxy is not installed: run scripts/setup"
c.ConfigurableHTTPProxy.command = [proxy]
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{os.environ['HUB_PROXY_PORT']}"
c.JupyterHub.bind_url = f"http://127.0.0.1:{os.environ['HUB_PORT']}/jupyter/"
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", int(os.environ["HUB_API_PORT"])
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True

c.JupyterHub.spawner_class = "localprocess"
c.JupyterHub.tornado_settings = {"slow_spawn_timeout": 0}  # several servers start at a time
c.Spawner.cmd = [sys.executable, "-m", "jupyterhub.singleuser"]
c.Spawner.environment = {
    "JUPYTER_PATH": str(PREFIX / "share" / "jupyter"),
    "JUPYTER_CONFIG_PATH": str(PREFIX / "etc" / "jupyter"),
}

c.JupyterHub.services = [{"name": "desk", "api_token": os.environ["DESK_TOKEN"]}]
c.JupyterHub.load_roles = [{"name": "desk", "services": ["desk"], "scopes": ["admin:users", "admin:servers", "tokens"]}]
