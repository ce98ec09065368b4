import { deployment, flow } from './fakes';
import { form } from './registering';

describe('what a form may replace', () => {
  const mine = deployment({
    name: 'nightly',
    notebook: '/home/me/tiles.ipynb',
    notebook_file: '/home/me/tiles.ipynb'
  });
  const theirs = deployment({
    id: 'd2',
    notebook: '/home/me/other.ipynb',
    notebook_file: '/home/me/other.ipynb',
    registered_at: '2026-06-01T00:00:00Z'
  });

  it('starts from what this notebook registered, not from the newest of the flow', async () => {
    const { model, sent } = form(flow(), null, undefined, [theirs, mine]);
    await model.load();
    expect(model.draft.name).toBe('nightly');
    await model.register();
    expect(sent[0].replaces).toEqual(['d1']);
  });

  it('starts from defaults where other notebooks registered the flow', async () => {
    const { model, sent } = form(flow(), null, undefined, [theirs]);
    await model.load();
    expect(model.draft.name).toBe('tiles');
    expect(model.draft.executor).toBe('threads');
    expect(model.foreignDeployment).toEqual(theirs);
    await model.register();
    expect(sent[0].replaces).toEqual([]);
    await model.register();
    expect(sent[1].replaces).toEqual(['d1']);
  });

  it('replaces what another notebook registered only when that is asked for', async () => {
    const { model, sent } = form(flow(), 'RegisteredElsewhere');
    await model.register();
    expect([model.canOverwrite, model.registered]).toEqual([true, null]);
    await model.overwrite();
    expect(sent.map(one => [one.overwrite, one.replaces])).toEqual([
      [undefined, []],
      [undefined, null]
    ]);
    expect(model.registered).not.toBeNull();
  });

  it('forgets what was overruled when the name changes', async () => {
    const refused = { now: true };
    const { model, sent } = form(flow(), 'RegisteredElsewhere', refused);
    await model.register();
    model.changeDraft({ name: 'mine' });
    expect([model.canOverwrite, model.error]).toEqual([false, null]);
    refused.now = false;
    await model.register();
    expect(sent[1].replaces).toEqual([]);
  });
});
