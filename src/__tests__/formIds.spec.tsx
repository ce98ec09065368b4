import { createDraft } from '../register/draft';
import { flow } from './fakes';
import { cron, preset, show, wrong } from './renderedForm';

describe('the ids of a form', () => {
  it('are unique on the page, also with two forms', () => {
    const { infrastructure } = createDraft(flow(), null, preset);
    const draft = {
      executor: 'dask-local',
      schedules: [cron, { ...cron, key: 'other', kind: 'interval' as const }],
      workPool: 'k8s',
      secrets: ['A'],
      infrastructure: { ...infrastructure, more: { namespace: 'sky' } }
    };
    const error = wrong({ field: 'infrastructure.env.REGION' });
    show(draft, error);
    show(draft, error);
    const [first, second] = document.querySelectorAll('form');
    const ids = [...document.querySelectorAll('[id]')].map(one => one.id);
    expect(ids.length).toBeGreaterThan(40);
    expect(new Set(ids).size).toBe(ids.length);
    expect(idsOf(second)).toHaveLength(idsOf(first).length);
    const used = referencedIds(first);
    expect(used.length).toBeGreaterThan(20);
    expect(used.filter(id => idsOf(second).includes(id))).toEqual([]);
  });
});

function idsOf(form: Element): string[] {
  return [...form.querySelectorAll('[id]')].map(one => one.id);
}

/** Return the ids to which labels and descriptions refer. */
function referencedIds(form: Element): string[] {
  return ['for', 'aria-describedby', 'aria-labelledby'].flatMap(name =>
    [...form.querySelectorAll(`[${name}]`)].flatMap(
      one => one.getAttribute(name)?.split(' ') ?? []
    )
  );
}
