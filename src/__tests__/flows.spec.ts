import type { FlowList } from '../_api';
import { RequestFailed, SERVER_MISSING } from '../errors';
import { drift } from '../models/drift';
import { FlowsModel } from '../models/flows';
import { deployment, flow, NOTEBOOK, Notebooks } from './fakes';

const list = (at = '2026-01-01T12:03:00Z', flows = [flow()]): FlowList => ({
  flows,
  at
});

/** A client that counts how often it is asked, and answers or refuses. */
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

describe('drift', () => {
  it('is new where no deployment has the name', () => {
    expect(drift(flow(), [deployment({ flow_name: 'other' })]).kind).toBe(
      'new'
    );
  });

  it('is registered where the fingerprint is the same', () => {
    expect(drift(flow(), [deployment()]).kind).toBe('registered');
  });

  it('is changed since the newest where no fingerprint is the same', () => {
    const found = drift(flow({ fingerprint: 'f2' }), [deployment()]);
    expect(found).toMatchObject({
      kind: 'changed',
      deployment: { version: 3 }
    });
  });

  it('finds the same flow under an older deployment name', () => {
    const older = deployment({ id: 'd2', name: 'nightly' });
    const found = drift(flow(), [deployment({ fingerprint: 'f9' }), older]);
    expect(found).toMatchObject({ deployment: { id: 'd2' } });
  });

  it('does not guess where the manifest cannot be read', () => {
    const unread = deployment({ fingerprint: null });
    expect(drift(flow(), [unread]).kind).toBe('unknown');
  });
});

describe('FlowsModel', () => {
  it('asks nobody before it is enabled', () => {
    const { asked, client } = kernelPart(() => list());
    const model = new FlowsModel(client, new Notebooks(NOTEBOOK));
    expect(model.state.kind).toBe('starting');
    expect(asked).toEqual([]);
  });

  it('asks an idle kernel once', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new Notebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    model.enable();
    await rest();
    notebooks.become({ status: 'busy' });
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1']);
    expect(model.state.kind).toBe('listed');
  });

  it('asks again after a restart', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new Notebooks(NOTEBOOK);
    new FlowsModel(client, notebooks).enable();
    await rest();
    notebooks.become({ generation: 'k1:1', status: 'restarting' });
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1', 'k1']);
  });

  it('waits for a busy kernel and keeps the last list', async () => {
    const { asked, client } = kernelPart(() => list());
    const notebooks = new Notebooks({ ...NOTEBOOK, status: 'busy' });
    const model = new FlowsModel(client, notebooks);
    model.enable();
    expect(asked).toEqual([]);
    notebooks.become({ status: 'idle' });
    await rest();
    notebooks.become({ status: 'busy' });
    expect(model.state).toMatchObject({ kind: 'busy', list: list() });
  });

  it('asks again when a cell came first', async () => {
    const { asked, client } = kernelPart(refuse('KernelBusy'));
    const notebooks = new Notebooks(NOTEBOOK);
    new FlowsModel(client, notebooks).enable();
    await rest();
    notebooks.become({ status: 'idle' });
    expect(asked).toEqual(['k1', 'k1']);
  });

  it('takes what the kernel pushes', () => {
    const { client } = kernelPart(() => list());
    const notebooks = new Notebooks(NOTEBOOK);
    const model = new FlowsModel(client, notebooks);
    const pushed = list('2026-01-01T13:00:00Z', [flow({ name: 'newer' })]);
    notebooks.pushed.emit({ kernelId: 'k1', list: pushed });
    expect(model.state).toEqual({ kind: 'listed', list: pushed });
  });

  it('keeps a pushed list over an older reply', async () => {
    const { client } = kernelPart(() => list('2026-01-01T12:00:00Z', []));
    const notebooks = new Notebooks(NOTEBOOK);
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
  ])('tells of %s as %s', async (error, kind) => {
    const { client } = kernelPart(refuse(error));
    const model = new FlowsModel(client, new Notebooks(NOTEBOOK));
    model.enable();
    await rest();
    expect(model.state.kind).toBe(kind);
  });

  it('tells of no notebook, no kernel and another language', () => {
    const { client } = kernelPart(() => list());
    const notebooks = new Notebooks();
    const model = new FlowsModel(client, notebooks);
    expect(model.state.kind).toBe('no-notebook');
    notebooks.become({ kernelId: null });
    expect(model.state.kind).toBe('no-kernel');
    notebooks.become({ kernelId: 'k2', language: 'R' });
    expect(model.state).toEqual({ kind: 'not-python', language: 'R' });
  });
});
