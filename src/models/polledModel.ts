import { Poll } from '@lumino/polling';

import { Observable } from './observable';

/** The name of a poll and its intervals in milliseconds. */
export interface IPollOptions {
  name: string;
  interval: number;
  /** Maximum delay after failures. */
  max: number;
}

/** A model that reads periodically while it is watched. */
export abstract class PolledModel extends Observable {
  constructor({ name, interval, max }: IPollOptions) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.read(),
      frequency: { interval, backoff: true, max },
      name: `satflow-ext:${name}`,
      standby: 'when-hidden'
    });
  }

  watch(): void {
    void this.poll.refresh();
  }

  unwatch(): void {
    void this.poll.stop();
  }

  dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  /** Read everything; an error makes the poll back off. */
  protected abstract read(): Promise<void>;

  private readonly poll: Poll;
}
