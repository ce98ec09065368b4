import type { FlowList } from '../_api';
import { RequestFailed, SERVER_MISSING } from '../errors';
import { compareWithDeployment, ownDeployments } from '../flows/drift';
import { FlowsModel } from '../flows/flows';
import { deployment, flow, NOTEBOOK, FakeNotebooks } from './fakes';

const list = (at = '2026-01-01T12:03:00Z', flows = [flow()]): FlowList => ({
  flows,
  at,
  notebook: null
});

/** A client that counts its requests, and answers or refuses them. */
function kernelPart(answer: () => FlowList) {
  const asked: string[] = [];
  const client = {
    flows: async (id: string) => {
      asked.push(id);
      return answer();
    }
  };
  return { asked, client };
}

const refuse = (error: string) => () => {
  throw new RequestFailed({ error, message: error, fix: null, field: null });
};

const rest = () => new Promise(resolve => setTimeout(resolve, 0));

describe('ownDeployments', () => {
  const notebook = '/home/me/tiles.ipynb';
  const mine = deployment({ notebook, notebook_file: notebook });

  it.each([
    ['of another flow', { flow_name: 'other' }, false],
    ['of this notebook', {}, true],
    [
      'of this notebook, by another path',
      { notebook: '/link/tiles.ipynb' },
      true
    ],
    ['of this notebook, whose file was deleted', { notebook_file: null }, true],
    [
      'of this notebook in another checkout',
      { notebook: '/builds/1/tiles.ipynb', notebook_file: null },
      true
    ],
    [
      'of another notebook of that name on this machine',
      { notebook: '/tmp/tiles.ipynb', notebook_file: '/tmp/tiles.ipynb' },
      false
    ],
    [
      'of another notebook',
      { notebook: '/home/me/other.ipynb', notebook_file: null },
      false
    ],
    ['of an unknown notebook', { notebook: null, notebook_file: null }, false]
  ])('finds a deployment %s', (_, change, isOwn) => {
    const found = ownDeployments('tiles', notebook, [{ ...mine, ...change }]);
    expect(found).toHaveLength(isOwn ? 1 : 0);
  });

  it('finds none where the notebook is not known', () => {
    const unknown = deployment({ notebook: null });
    expect(ownDeployments('tiles', null, [mine, unknown])).toEqual([]);
  });

  it('puts the one that was registered last first', () => {
    const later = { ...mine, id: 'd2', registered_at: '2026-02-01T00:00:00Z' };
    const found = ownDeployments('tiles', notebook, [mine, later]);
    expect(found.map(one => one.id)).toEqual(['d2', 'd1']);
  });
});

describe('drift', () => {
  it('is new where the notebook registered none', () => {
    expect(compareWithDeployment(flow(), []).kind).toBe('new');
  });

  it('is registered where the fingerprint is the same', () => {
    expect(compareWithDeployment(flow(), [deployment()]).kind).toBe(
      'registered'
    );
  });

  it('is changed since the last one where that has another fingerprint', () => {
    const older = deployment({ id: 'd2', name: 'nightly' });
    const found = compareWithDeployment(flow(), [
      deployment({ fingerprint: 'f9' }),
      older
    ]);
    expect(found).toMatchObject({ kind: 'changed', deployment: { id: 'd1' } });
  });
});

describe('FlowsModel', () => {
  it('sends no request before it is enabled', () => {
    const { asked, client } = kernelPart(() => list());
    const model = new FlowsModel(client, new FakeNotebooks(NOTEBOOK));
    expect(model.state.kind).toBe('starting');
    expect(asked).toEqual([]);
  });

  it('queries an idle kernel once', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new FakeNotebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    model.enable();
    await rest();
    notebooks.become({ status: 'busy' });
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1']);
    expect(model.state.kind).toBe('listed');
  });

  it('queries again after a restart', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new FakeNotebooks(NOTEBOOK);
    new FlowsModel(client, notebooks).enable();
    await rest();
    notebooks.become({ generation: 'k1:1', status: 'restarting' });
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1', 'k1']);
  });

  it('waits for a busy kernel and keeps the last list', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new FakeNotebooks({ ...NOTEBOOK, status: 'busy' });
    const model = new FlowsModel(client, notebooks);
    model.enable();
    expect(asked).toEqual([]);
    notebooks.become({ status: 'idle' });
    await rest();
    notebooks.become({ status: 'busy' });
    expect(model.state).toMatchObject({ kind: 'busy', list: list() });
  });

  it('queries again when a cell ran first', async () => {
    const { asked, client } = kernelPart(refuse('KernelBusy'));
    const notebooks = new FakeNotebooks(NOTEBOOK);
    new FlowsModel(client, notebooks).enable();
    await rest();
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1', 'k1']);
  });

  it('queries again when the kernel was idle before the server replied that it was busy', async () => {
    jest.useFakeTimers();
    const replies = [refuse('KernelBusy'), refuse('KernelBusy'), () => list()];
    const { asked, client } = kernelPart(() => replies.shift()!());
    const model = new FlowsModel(client, new FakeNotebooks(NOTEBOOK));
    model.enable();
    await jest.advanceTimersByTimeAsync(60_000);
    jest.useRealTimers();
    expect(asked).toEqual(['k1', 'k1', 'k1']);
    expect(model.state.kind).toBe('listed');
  });

  it('does not query a busy kernel whose notebook was left', async () => {
    jest.useFakeTimers();
    const { asked, client } = kernelPart(refuse('KernelBusy'));
    const notebooks = new FakeNotebooks(NOTEBOOK);
    new FlowsModel(client, notebooks).enable();
    await jest.advanceTimersByTimeAsync(0);
    notebooks.become(null);
    await jest.advanceTimersByTimeAsync(60_000);
    jest.useRealTimers();
    expect(asked).toEqual(['k1']);
  });

  it('takes what the kernel pushes', () => {
    const { client } = kernelPart(() => list());
    const notebooks = new FakeNotebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    const pushed = list('2026-01-01T13:00:00Z', [flow({ name: 'newer' })]);
    notebooks.pushed.emit({ kernelId: 'k1', list: pushed });
    expect(model.state).toEqual({ kind: 'listed', list: pushed });
  });

  it('keeps a pushed list over an older reply', async () => {
    const { client } = kernelPart(() => list('2026-01-01T12:00:00Z', []));
    const notebooks = new FakeNotebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    model.enable();
    const pushed = list('2026-01-01T13:00:00Z');
    notebooks.pushed.emit({ kernelId: 'k1', list: pushed });
    await rest();
    expect(model.state).toEqual({ kind: 'listed', list: pushed });
  });

  it.each([
    ['KernelLacksPackage', 'lacks-package'],
    [SERVER_MISSING, 'server-missing'],
    ['KernelDied', 'failed']
  ])('reports %s as %s', async (error, kind) => {
    const { client } = kernelPart(refuse(error));
    const model = new FlowsModel(client, new FakeNotebooks(NOTEBOOK));
    model.enable();
    await rest();
    expect(model.state.kind).toBe(kind);
  });

  it('queries again when a cell has installed the package', async () => {
    const replies = [refuse('KernelLacksPackage'), () => list()];
    const { asked, client } = kernelPart(() => replies.shift()!());
    const notebooks = new FakeNotebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    model.enable();
    await rest();
    notebooks.become({ status: 'busy' });
    notebooks.executed.emit('k1');
    expect(asked).toEqual(['k1']);
    notebooks.become({ status: 'idle' });
    await rest();
    notebooks.executed.emit('k1');
    expect(asked).toEqual(['k1', 'k1']);
    expect(model.state.kind).toBe('listed');
  });

  it('distinguishes a closed notebook from no notebook', () => {
    const notebooks = new FakeNotebooks(NOTEBOOK);
    const model = new FlowsModel(kernelPart(() => list()).client, notebooks);
    model.enable();
    notebooks.become(null);
    expect(model.state).toEqual({ kind: 'closed', path: NOTEBOOK.path });
  });

  it('distinguishes a restarted kernel from one without flows', async () => {
    const lists = [list(), list('2026-01-01T12:04:00Z', [])];
    const { client } = kernelPart(() => lists.shift() as FlowList);
    const notebooks = new FakeNotebooks(NOTEBOOK, '@flow');
    const model = new FlowsModel(client, notebooks);
    model.enable();
    await rest();
    expect(model.state.kind).toBe('listed');
    notebooks.become({ generation: 'k1:1', status: 'restarting' });
    notebooks.become({ status: 'idle' });
    await rest();
    expect(model.state.kind).toBe('restarted');
  });

  it.each([
    ['@flow', 'not-run'],
    ['print()', 'listed']
  ])('reports a kernel that has not run %s', async (code, kind) => {
    const { client } = kernelPart(() => list(undefined, []));
    const model = new FlowsModel(client, new FakeNotebooks(NOTEBOOK, code));
    model.enable();
    await rest();
    expect(model.state.kind).toBe(kind);
  });

  it('reports no notebook, no kernel and another language', () => {
    const { client } = kernelPart(() => list());
    const notebooks = new FakeNotebooks();
    const model = new FlowsModel(client, notebooks);
    expect(model.state.kind).toBe('no-notebook');
    notebooks.become({ kernelId: null });
    expect(model.state.kind).toBe('no-kernel');
    notebooks.become({ kernelId: 'k2', language: 'R' });
    expect(model.state).toEqual({ kind: 'not-python', language: 'R' });
  });
});
