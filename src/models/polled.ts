import { Poll } from '@lumino/polling';

import { Observable } from './observable';

/** How often a model reads, in milliseconds, and what the poll is called. */
export interface IPace {
  name: string;
  interval: number;
  /** The longest wait after failures. */
  max: number;
}

/** A model that reads again and again while somebody looks. */
export abstract class Polled extends Observable {
  constructor({ name, interval, max }: IPace) {
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

  /** Read everything; what is thrown makes the poll back off. */
  protected abstract read(): Promise<void>;

  private readonly poll: Poll;
}
