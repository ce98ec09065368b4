import { Signal } from '@lumino/signaling';

import { ActiveNotebook } from '../kernel';

/** A notebook whose kernel a test restarts. */
function notebook() {
  const kernel = {
    id: 'k1',
    status: 'idle',
    isDisposed: false,
    info: Promise.resolve({ language_info: { name: 'python' } }),
    requestKernelInfo: jest.fn(() => new Promise(() => undefined)),
    registerCommTarget: () => undefined
  };
  const anyMessage = new Signal<object, object>(kernel);
  Object.assign(kernel, { anyMessage });
  const context = { session: { kernel } };
  const statusChanged = new Signal<object, string>(context);
  Object.assign(context, {
    statusChanged,
    kernelChanged: new Signal<object, void>(context)
  });
  const panel = { sessionContext: context, context: { path: 'tiles.ipynb' } };
  Object.assign(panel, { disposed: new Signal<object, void>(panel) });
  const tracker = { currentWidget: panel };
  const currentChanged = new Signal<object, void>(tracker);
  Object.assign(tracker, { currentChanged });
  const become = (status: string) => {
    kernel.status = status;
    statusChanged.emit(status);
  };
  const answer = () =>
    anyMessage.emit({
      direction: 'recv',
      msg: { header: { msg_type: 'kernel_info_reply' } }
    });
  return {
    source: new ActiveNotebook(tracker as never),
    kernel,
    become,
    answer
  };
}

describe('ActiveNotebook', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it.each([
    ['restarting', 'starting'],
    ['restarting', 'unknown'],
    ['autorestarting', 'autorestarting']
  ])(
    'asks a kernel that is %s and then %s until it answers',
    async (first, then) => {
      const { source, kernel, become, answer } = notebook();
      become(first);
      if (then !== first) {
        become(then);
      }
      await jest.advanceTimersByTimeAsync(5000);
      expect(kernel.requestKernelInfo).toHaveBeenCalledTimes(2);
      expect(source.current?.status).toBe(then);
      answer();
      expect(source.current?.status).toBe('idle');
      await jest.advanceTimersByTimeAsync(60_000);
      expect(kernel.requestKernelInfo).toHaveBeenCalledTimes(2);
    }
  );

  it('does not take the reply of the old kernel for that of the restarted one', () => {
    const { source, become, answer } = notebook();
    become('restarting');
    answer();
    become('unknown');
    expect(source.current?.status).toBe('unknown');
  });

  it('asks nothing of a restarted kernel that says how it is', async () => {
    const { kernel, become } = notebook();
    become('restarting');
    become('idle');
    await jest.advanceTimersByTimeAsync(60_000);
    expect(kernel.requestKernelInfo).not.toHaveBeenCalled();
  });
});
