import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';

/** dask-labextension's own commands. */
const CHOOSE = 'dask:populate-dashboard-url';
const LAUNCH = 'dask:launch-layout';

/** How long Dask's pages may take to answer through the proxy, and between two looks, in milliseconds. */
const PATIENCE = 15_000;
const LOOK = 200;

/** Whether dask-labextension is there to show Dask's own pages. */
export function hasDaskPages(commands: CommandRegistry): boolean {
  return commands.hasCommand(CHOOSE) && commands.hasCommand(LAUNCH);
}

/**
 * Let dask-labextension show a cluster.
 *
 * @param dashboard - `host:port` of Dask's pages, as the Jupyter server's machine knows them
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
          'Dask’s pages at %1 do not answer through the Jupyter server. On another machine, add it to ServerProxy.host_allowlist.',
          dashboard
        )
      );
    }
    await new Promise(resolve => setTimeout(resolve, LOOK));
  }
  await commands.execute(LAUNCH);
}

/** Where the Jupyter server's proxy, which asks who is there, has them; relative to the server's own address. */
export function proxied(dashboard: string): string {
  const [, host, port] = /^(.*):(\d+)$/.exec(dashboard) ?? ['', '', dashboard];
  const isHere = ['127.0.0.1', 'localhost', '::1', '[::1]'].includes(host);
  return isHere ? `proxy/${port}` : `proxy/${host}:${port}`;
}
