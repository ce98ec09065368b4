"""The extension application: creates the managers, registers the routes, and releases the local stack at the end."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp

from satflow_ext.server.managers import Managers
from satflow_ext.server.routes import build_routes


class SatflowApp(ExtensionApp):
    """SatFlow in a Jupyter server."""

    name = "satflow_ext"
    load_other_extensions = True

    managers: Managers

    def initialize_settings(self) -> None:
        """Create the managers; nothing is started before it is needed."""
        assert self.serverapp is not None
        self.managers = Managers.create(self.serverapp.kernel_manager)

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(build_routes(self.managers))

    async def stop_extension(self) -> None:
        """Release the lease on the local stack, which stops if no other lease exists."""
        await self.managers.close()
