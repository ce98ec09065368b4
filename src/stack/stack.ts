import { Poll } from '@lumino/polling';

import type { ErrorBody, StackStatus } from '../_api';
import type { IClient } from '../client';
import { Observable } from '../components/observable';
import { toErrorBody } from '../errors';

/** Milliseconds between two checks while the stack starts, and while it is down, because another process may start it. */
const STARTING_INTERVAL = 1000;
const DOWN_INTERVAL = 5000;

/** The stack that executes runs, started on first use. */
export class StackModel extends Observable {
  constructor(private readonly client: Pick<IClient, 'stack' | 'startStack'>) {
    super();
    this.poll = new Poll({
      auto: false,
      factory: () => this.checkStack(),
      frequency: { interval: STARTING_INTERVAL, backoff: true, max: 10_000 },
      name: 'satflow-ext:stack',
      standby: 'when-hidden'
    });
  }

  get status(): StackStatus | null {
    return this._status;
  }

  get error(): ErrorBody | null {
    return this._error;
  }

  get isReady(): boolean {
    return this._status?.state === 'ready';
  }

  /** Call `work` once, as soon as the stack is ready, unless the owner has been disposed. */
  callWhenReady(owner: object, work: () => void): void {
    const look = () => {
      if (this.isReady) {
        this.changed.disconnect(look, owner);
        work();
      }
    };
    this.changed.connect(look, owner);
    look();
  }

  /** Check the stack without starting it; if it is not ready, check again until it is. */
  checkStack(): Promise<void> {
    return this.updateStatus(() => this.client.stack());
  }

  /** Check the stack and start it if it is stopped. */
  async ensureStarted(): Promise<void> {
    await this.checkStack();
    if (this._status?.state === 'stopped') {
      await this.start();
    }
  }

  /** Start the stack and follow its steps until it is ready. */
  start(): Promise<void> {
    return this.updateStatus(() => this.client.startStack());
  }

  dispose(): void {
    this.poll.dispose();
    super.dispose();
  }

  private async updateStatus(ask: () => Promise<StackStatus>): Promise<void> {
    try {
      this._status = await ask();
      this._error = null;
    } catch (reason) {
      this._error = toErrorBody(reason);
    }
    this.scheduleCheck();
    this.emitChanged();
  }

  /** Schedule another check if the stack is not ready. */
  private scheduleCheck(): void {
    if (this.isDisposed) {
      return;
    }
    if (this._error || !this.isReady) {
      const isStarting = !this._error && this._status?.state === 'starting';
      const interval = isStarting ? STARTING_INTERVAL : DOWN_INTERVAL;
      void this.poll.schedule({ phase: 'resolved', interval });
    } else if (this.poll.state.phase !== 'constructed') {
      void this.poll.stop();
    }
  }

  private readonly poll: Poll;
  private _status: StackStatus | null = null;
  private _error: ErrorBody | null = null;
}
