import { Poll } from '@lumino/polling';

import type { Run } from '../_api';
import type { IClient } from '../client';
import { hasEnded } from '../format';
import type { IStream } from '../stream';

/**
 * Wait until a run has ended, and return it.
 *
 * @param id - the id of the run
 * @param client - the client that reads the run
 * @param stream - the stream that reports changes of runs
 */
export async function waitForEnd(
  id: string,
  client: Pick<IClient, 'run'>,
  stream: IStream
): Promise<Run> {
  let ended: (run: Run) => void;
  const end = new Promise<Run>(resolve => (ended = resolve));
  // eslint-disable-next-line jupyter/require-disposable-ownership -- disposed below in all cases
  const poll = new Poll({
    factory: async () => {
      const { run } = await client.run(id);
      if (hasEnded(run.state_type)) {
        ended(run);
      }
    },
    // The stream's hint usually comes first; the poll is for the case that it does not.
    frequency: { interval: 5000, backoff: true, max: 60_000 },
    name: `satflow-ext:outcome:${id}`,
    standby: 'when-hidden'
  });
  const hints = stream.subscribe('runs', null, () => void poll.refresh());
  try {
    return await end;
  } finally {
    hints.dispose();
    poll.dispose();
  }
}
