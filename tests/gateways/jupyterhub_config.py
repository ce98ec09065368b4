"""A JupyterHub that only answers its REST API: nobody comes by browser, so nothing stands before it."""

import os

from jupyterhub.proxy import Proxy

c = get_config()  # noqa: F821  # traitlets gives it


class NoProxy(Proxy):
    """Keeps routes, for nobody to take."""

    should_start = False
    routes = {}  # noqa: RUF012  # there is one

    async def add_route(self, routespec, target, data):
        self.routes[routespec] = {"routespec": routespec, "target": target, "data": data}

    async def delete_route(self, routespec):
        self.routes.pop(routespec, None)

    async def get_all_routes(self):
        return dict(self.routes)


c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.hub_ip, c.JupyterHub.hub_port = "127.0.0.1", int(os.environ["HUB_PORT"])
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.cookie_secret = os.urandom(32)
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
services = {"dask-gateway": os.urandom(16).hex(), "desk": os.environ["DESK_TOKEN"]}
c.JupyterHub.services = [{"name": name, "api_token": token} for name, token in services.items()]
c.JupyterHub.load_roles = [
    {"name": "gives-tokens", "services": ["desk"], "scopes": ["admin:users", "tokens"]},
    {"name": "user", "scopes": ["self", "access:services!service=dask-gateway"]},
]
