import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/** Commands of dask-labextension. */
const CHOOSE = 'dask:populate-dashboard-url';
const LAUNCH = 'dask:launch-layout';

/** Timeout of the Dask dashboard behind the proxy, and the interval between two checks, in milliseconds. */
const PATIENCE = 15_000;
const LOOK = 200;

/** Return whether dask-labextension is installed, which shows the Dask dashboard. */
export function hasDaskPages(commands: CommandRegistry): boolean {
  return commands.hasCommand(CHOOSE) && commands.hasCommand(LAUNCH);
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
  await commands.execute(CHOOSE, { url: proxied(dashboard) });
  const until = Date.now() + PATIENCE;
  while (!commands.isEnabled(LAUNCH)) {
    if (Date.now() > until) {
      throw new Error(
        trans.__(
          'The Dask dashboard at %1 does not answer through the Jupyter server. If it is on another machine, add that host to ServerProxy.host_allowlist.',
          dashboard
        )
      );
    }
    await new Promise(resolve => setTimeout(resolve, LOOK));
  }
  await commands.execute(LAUNCH);
}

/**
 * Return the path of the dashboard in the Jupyter server's proxy, which checks credentials; relative to the server's
 * address.
 */
export function proxied(dashboard: string): string {
  const [, host, port] = /^(.*):(\d+)$/.exec(dashboard) ?? ['', '', dashboard];
  const isHere = ['127.0.0.1', 'localhost', '::1', '[::1]'].includes(host);
  return isHere ? `proxy/${port}` : `proxy/${host}:${port}`;
}
