import { Poll } from '@lumino/polling';

import type { Run } from '../_api';
import type { IClient } from '../client';
import type { IStream } from '../stream';
import { hasEnded } from '../words';

/**
 * The run as it is when it has ended.
 *
 * @param id - whose end to wait for
 * @param client - to read it
 * @param stream - to hear when to
 */
export async function outcome(
  id: string,
  client: Pick<IClient, 'run'>,
  stream: IStream
): Promise<Run> {
  let ended: (run: Run) => void;
  const end = new Promise<Run>(resolve => (ended = resolve));
  // eslint-disable-next-line jupyter/require-disposable-ownership -- disposed below, whatever happens
  const poll = new Poll({
    factory: async () => {
      const { run } = await client.run(id);
      if (hasEnded(run.state_type)) {
        ended(run);
      }
    },
    // The stream's hint comes first; this is for when it does not.
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
