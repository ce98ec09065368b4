import type { StackStatus } from '../_api';
import { RequestFailed } from '../errors';
import { StackModel } from '../stack/stack';

type State = StackStatus['state'];

const status = (state: State): StackStatus => ({
  kind: 'local',
  state,
  step: null,
  prefect_api: null,
  prefect_profile: null,
  store: null,
  stays: false
});

/** A server whose stack a test controls, as another process would. */
function server(state: State | 'unreachable') {
  const world = { state, looks: 0, starts: 0 };
  const look = async () => {
    world.looks += 1;
    if (world.state === 'unreachable') {
      const body = { message: 'No answer.', fix: null, field: null };
      throw new RequestFailed({ error: 'ServerUnreachable', ...body });
    }
    return status(world.state);
  };
  const startStack = async () => {
    world.starts += 1;
    return status(world.state as State);
  };
  return { world, model: new StackModel({ stack: look, startStack }) };
}

describe('StackModel', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each<[State | 'unreachable']>([
    ['failed'],
    ['stopped'],
    ['starting'],
    ['unreachable']
  ])('detects a start by another process after it was %s', async state => {
    const { world, model } = server(state);
    await model.ensureStarted();
    const { starts } = world;
    expect(model.isReady && !model.error).toBe(false);
    world.state = 'ready';
    await jest.advanceTimersByTimeAsync(60_000);
    expect([model.isReady, model.error]).toEqual([true, null]);
    expect(world.starts).toBe(starts);
    model.dispose();
  });

  it('stops checking once it is ready', async () => {
    const { world, model } = server('starting');
    await model.ensureStarted();
    world.state = 'ready';
    await jest.advanceTimersByTimeAsync(60_000);
    const { looks } = world;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(world.looks).toBe(looks);
    model.dispose();
  });

  it('sends no requests after it is disposed', async () => {
    const { world, model } = server('failed');
    await model.ensureStarted();
    model.dispose();
    const { looks } = world;
    await jest.advanceTimersByTimeAsync(60_000);
    expect(world.looks).toBe(looks);
  });
});
