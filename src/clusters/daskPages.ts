import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

import type { ClusterStatus } from '../_api';

/** Opens a cluster in the Dask dashboard; null if dask-labextension is not installed. */
export type OnDaskPages = ((cluster: ClusterStatus) => void) | null;

/** Commands of dask-labextension. */
const SET_URL_COMMAND = 'dask:populate-dashboard-url';
const LAUNCH_COMMAND = 'dask:launch-layout';

/** Timeout of the Dask dashboard behind the proxy, and the interval between two checks, in milliseconds. */
const TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 200;

/** Return whether dask-labextension is installed, which shows the Dask dashboard. */
export function hasDaskPages(commands: CommandRegistry): boolean {
  return (
    commands.hasCommand(SET_URL_COMMAND) && commands.hasCommand(LAUNCH_COMMAND)
  );
}

/**
 * Open a cluster in dask-labextension.
 *
 * @param dashboard - `host:port` of the Dask dashboard, as seen from the Jupyter server's machine
 */
export async function openDaskPages(
  commands: CommandRegistry,
  dashboard: string,
  trans: TranslationBundle
): Promise<void> {
  await commands.execute(SET_URL_COMMAND, { url: proxyPath(dashboard) });
  const until = Date.now() + TIMEOUT_MS;
  while (!commands.isEnabled(LAUNCH_COMMAND)) {
    if (Date.now() > until) {
      throw new Error(
        trans.__(
          'The Dask dashboard at %1 does not answer through the Jupyter server. If it is on another machine, add that host to ServerProxy.host_allowlist.',
          dashboard
        )
      );
    }
    await new Promise(resolve => setTimeout(resolve, CHECK_INTERVAL_MS));
  }
  await commands.execute(LAUNCH_COMMAND);
}

/**
 * Return the path of the dashboard in the Jupyter server's proxy, which checks credentials; relative to the server's
 * address.
 */
export function proxyPath(dashboard: string): string {
  const [, host, port] = /^(.*):(\d+)$/.exec(dashboard) ?? ['', '', dashboard];
  const isHere = ['127.0.0.1', 'localhost', '::1', '[::1]'].includes(host);
  return isHere ? `proxy/${port}` : `proxy/${host}:${port}`;
}
