import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { Poll } from '@lumino/polling';

import type { StreamFrame, StreamRequest, Subscribe } from './_api';

export type Topic = Subscribe['topic'];
export type Listener = (frame: StreamFrame) => void;

/** The part of `WebSocket` that the stream uses. */
export type ISocket = Pick<
  WebSocket,
  'onopen' | 'onmessage' | 'onclose' | 'send' | 'close'
>;

/** The server's event stream, by topic. */
export interface IStream {
  /**
   * Subscribe to a topic until disposed. After a lost connection the stream subscribes again, to logs from the last
   * cursor.
   *
   * @param topic - the topic
   * @param runId - the run of the logs or the cluster; null for "runs" and "clusters"
   * @param listener - called with each frame
   */
  subscribe(
    topic: Topic,
    runId: string | null,
    listener: Listener
  ): IDisposable;
}

interface IChannel {
  topic: Topic;
  runId: string | null;
  cursor: string | null;
  listeners: Set<Listener>;
}

const TOPICS: Record<string, Topic> = {
  'runs.v1': 'runs',
  'logs.v1': 'logs',
  'cluster.v1': 'cluster',
  'clusters.v1': 'clusters'
};

/** One websocket for the whole browser tab, open only while there are listeners. */
export class Stream implements IStream, IDisposable {
  /**
   * @param createSocket - creates a socket that is connecting
   * @param interval - milliseconds before the first attempt after a lost connection; doubles up to 30 s while
   *   attempts fail
   */
  constructor(
    private readonly createSocket: () => ISocket,
    interval = 500
  ) {
    // The promise that the poll awaits lasts as long as the socket, so that the poll's backoff applies to
    // reconnecting.
    this.poll = new Poll({
      auto: false,
      factory: () => this.openSocket(),
      frequency: { interval, backoff: true, max: 30_000 },
      name: 'satflow-ext:stream',
      standby: 'never'
    });
  }

  get isDisposed(): boolean {
    return this.poll.isDisposed;
  }

  dispose(): void {
    this.poll.dispose();
    this.channels.clear();
    this.socket?.close();
  }

  subscribe(
    topic: Topic,
    runId: string | null,
    listener: Listener
  ): IDisposable {
    const channel = this.ensureChannel(topic, runId);
    const own: Listener = frame => listener(frame); // the same function may be subscribed twice
    channel.listeners.add(own);
    // A new listener needs earlier frames, except hints; the other listeners recognize known lines by their id.
    if (channel.listeners.size === 1 || topic !== 'runs') {
      channel.cursor = null;
      this.send(subscribeRequest(channel));
    }
    this.ensureConnected();
    return new DisposableDelegate(() => this.removeListener(channel, own));
  }

  private ensureChannel(topic: Topic, runId: string | null): IChannel {
    const key = `${topic}:${runId ?? ''}`;
    const known = this.channels.get(key);
    const channel = known ?? {
      topic,
      runId,
      cursor: null,
      listeners: new Set()
    };
    this.channels.set(key, channel);
    return channel;
  }

  private removeListener(channel: IChannel, listener: Listener): void {
    channel.listeners.delete(listener);
    if (channel.listeners.size > 0) {
      return;
    }
    this.channels.delete(`${channel.topic}:${channel.runId ?? ''}`);
    this.send({
      type: 'unsubscribe',
      topic: channel.topic,
      run_id: channel.runId
    });
    if (this.channels.size === 0) {
      this.socket?.close();
    }
  }

  private ensureConnected(): void {
    if (this.socket === null && !this.isDisposed) {
      void this.poll.refresh();
    }
  }

  /** Open a socket. Resolves when an open socket closes, rejects if the socket could not be opened. */
  private openSocket(): Promise<void> {
    if (this.channels.size === 0) {
      void this.poll.stop();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const socket = this.createSocket();
      let opened = false;
      this.socket = socket;
      socket.onopen = () => {
        opened = true;
        this.isOpen = true;
        this.channels.forEach(channel => this.send(subscribeRequest(channel)));
      };
      socket.onmessage = event => this.dispatchFrame(String(event.data));
      socket.onclose = () => {
        this.socket = null;
        this.isOpen = false;
        return opened ? resolve() : reject(new Error('no connection'));
      };
    });
  }

  private send(request: StreamRequest): void {
    if (this.isOpen) {
      this.socket?.send(JSON.stringify(request));
    }
  }

  private dispatchFrame(text: string): void {
    const frame = JSON.parse(text) as StreamFrame;
    const topic = frame.type === 'error.v1' ? frame.topic : TOPICS[frame.type];
    const runId = 'run_id' in frame ? frame.run_id : null;
    const channel = this.channels.get(`${topic}:${runId ?? ''}`);
    if (!channel) {
      return;
    }
    if (frame.type === 'logs.v1') {
      channel.cursor = frame.cursor;
    }
    channel.listeners.forEach(listener => listener(frame));
  }

  private readonly poll: Poll;
  private readonly channels = new Map<string, IChannel>();
  private socket: ISocket | null = null;
  private isOpen = false;
}

function subscribeRequest(channel: IChannel): Subscribe {
  return {
    type: 'subscribe',
    topic: channel.topic,
    run_id: channel.runId,
    cursor: channel.cursor
  };
}
