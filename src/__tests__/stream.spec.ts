import { Stream } from '../stream';
import { line, logs, FakeSocket } from './fakes';

/** A stream, and the sockets that it has opened. */
function made() {
  const sockets: FakeSocket[] = [];
  const open = () => {
    sockets.push(new FakeSocket());
    return sockets[sockets.length - 1];
  };
  return { sockets, stream: new Stream(open, 1) };
}

async function opened(
  sockets: FakeSocket[],
  count: number
): Promise<FakeSocket> {
  while (sockets.length < count) {
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  return sockets[count - 1];
}

const ignore = () => undefined;

describe('Stream', () => {
  it('opens nothing before there is a listener', async () => {
    const { sockets, stream } = made();
    expect(sockets).toEqual([]);
    stream.dispose();
  });

  it('opens one socket for all topics and subscribes when it is open', async () => {
    const { sockets, stream } = made();
    stream.subscribe('runs', null, ignore);
    stream.subscribe('logs', 'r1', ignore);
    const socket = await opened(sockets, 1);
    expect(socket.sent).toEqual([]);
    socket.accept();
    const topics = socket.sent.map(one => [one.type, one.topic, one.run_id]);
    expect(topics).toEqual([
      ['subscribe', 'runs', null],
      ['subscribe', 'logs', 'r1']
    ]);
    expect(sockets).toHaveLength(1);
    stream.dispose();
  });

  it('passes a frame to its subscribers', async () => {
    const { sockets, stream } = made();
    const here = jest.fn();
    const there = jest.fn();
    stream.subscribe('logs', 'r1', here);
    stream.subscribe('logs', 'r2', there);
    const socket = await opened(sockets, 1);
    socket.accept();
    socket.push(logs([line(0)]));
    expect(here).toHaveBeenCalledTimes(1);
    expect(there).not.toHaveBeenCalled();
    stream.dispose();
  });

  it('reconnects after a lost connection, from the last cursor', async () => {
    const { sockets, stream } = made();
    stream.subscribe('logs', 'r1', ignore);
    const first = await opened(sockets, 1);
    first.accept();
    first.push(logs([line(0)], { cursor: 'after-0' }));
    first.drop();
    const second = await opened(sockets, 2);
    second.accept();
    expect(second.sent).toEqual([
      { type: 'subscribe', topic: 'logs', run_id: 'r1', cursor: 'after-0' }
    ]);
    stream.dispose();
  });

  it('tries again if the server does not answer', async () => {
    const { sockets, stream } = made();
    stream.subscribe('runs', null, ignore);
    (await opened(sockets, 1)).drop();
    (await opened(sockets, 2)).accept();
    expect(sockets[1].sent).toHaveLength(1);
    stream.dispose();
  });

  it('closes the socket when the last listener leaves, and opens another', async () => {
    const { sockets, stream } = made();
    const first = stream.subscribe('runs', null, ignore);
    const socket = await opened(sockets, 1);
    socket.accept();
    first.dispose();
    expect(socket.sent[1]).toMatchObject({ type: 'unsubscribe' });
    stream.subscribe('runs', null, ignore);
    (await opened(sockets, 2)).accept();
    expect(sockets[1].sent).toHaveLength(1);
    stream.dispose();
  });

  it('keeps a topic while one of two listeners stays', async () => {
    const { sockets, stream } = made();
    const first = stream.subscribe('runs', null, ignore);
    stream.subscribe('runs', null, ignore);
    const socket = await opened(sockets, 1);
    socket.accept();
    first.dispose();
    expect(socket.sent.map(one => one.type)).toEqual(['subscribe']);
    stream.dispose();
  });

  it('passes an error to its subscriber', async () => {
    const { sockets, stream } = made();
    const listener = jest.fn();
    stream.subscribe('logs', 'r1', listener);
    const socket = await opened(sockets, 1);
    socket.accept();
    const error = { error: 'RunNotFound', message: '', fix: null, field: null };
    socket.push({ type: 'error.v1', topic: 'logs', run_id: 'r1', error });
    expect(listener).toHaveBeenCalledTimes(1);
    stream.dispose();
  });
});
