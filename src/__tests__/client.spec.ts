import { ServerConnection } from '@jupyterlab/services';

import { Client, type IRunsQuery, type IVersionsQuery } from '../client';

/** A client whose requests end here, with the URLs that it requested. */
function recorded() {
  const urls: URL[] = [];
  const settings = ServerConnection.makeSettings({
    baseUrl: 'http://server/',
    fetch: async (request: RequestInfo | URL) => {
      urls.push(new URL(request instanceof Request ? request.url : request));
      return new Response('{}');
    }
  });
  return { urls, client: new Client(settings) };
}

/** Return the query of a URL without the time that JupyterLab appends to bypass caches. */
const query = (url: URL) =>
  Object.fromEntries(
    [...url.searchParams].filter(([name]) => !/^\d+$/.test(name))
  );

describe('Client', () => {
  it.each<[IRunsQuery, object]>([
    [{}, {}],
    [{ state_type: undefined, deployment_id: undefined }, {}],
    [{ state_type: undefined, limit: 100 }, { limit: '100' }],
    [
      { deployment_id: undefined, state_type: 'FAILED' },
      { state_type: 'FAILED' }
    ]
  ])(
    'requests runs only by the parameters that are set: %j',
    async (asked, expected) => {
      const { urls, client } = recorded();
      await client.runs(asked);
      expect(query(urls[0])).toEqual(expected);
      expect(urls[0].href).not.toContain('undefined');
    }
  );

  it.each<[IVersionsQuery, object]>([
    [{ before: undefined }, {}],
    [{ before: undefined, limit: 20 }, { limit: '20' }],
    [{ before: 3 }, { before: '3' }]
  ])(
    'requests versions only by the parameters that are set: %j',
    async (asked, expected) => {
      const { urls, client } = recorded();
      await client.versions('d1', asked);
      expect(query(urls[0])).toEqual(expected);
    }
  );
});
