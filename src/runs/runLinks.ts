import { PageConfig, URLExt } from '@jupyterlab/coreutils';

/** The run to which a link leads, and the line of its log. */
export interface IRunLink {
  runId: string;
  lineId: string | null;
}

const [RUN, LINE] = ['satflow-run', 'satflow-line'];

/** The addresses that lead to a run. */
export const RUN_LINK = new RegExp(`[?&]${RUN}=`);

/**
 * Return the address of JupyterLab that opens a run at a line of its log. It has no token.
 *
 * @param baseUrl - the address of the Jupyter server
 */
export function makeRunLink(
  baseUrl: string,
  runId: string,
  lineId: string
): string {
  const page = PageConfig.getOption('appUrl') || '/lab';
  const query = new URLSearchParams({ [RUN]: runId, [LINE]: lineId });
  return `${URLExt.join(baseUrl, page)}?${query}`;
}

/** Return where the query of an address leads, null if it is not to a run, and the rest of the query. */
export function parseRunLink(search: string): {
  link: IRunLink | null;
  rest: string;
} {
  const query = new URLSearchParams(search);
  const [runId, lineId] = [query.get(RUN), query.get(LINE)];
  query.delete(RUN);
  query.delete(LINE);
  const rest = query.toString();
  return {
    link: runId ? { runId, lineId } : null,
    rest: rest ? `?${rest}` : ''
  };
}
