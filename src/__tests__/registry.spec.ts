import { Registry } from '../components/registry';

describe('Registry', () => {
  it('has its entries in the order of their ranks', () => {
    const registry = new Registry();
    registry.add({ id: 'c', rank: 2 });
    registry.add({ id: 'a', rank: 1 });
    registry.add({ id: 'b', rank: 1 });
    expect(registry.items.map(one => one.id)).toEqual(['a', 'b', 'c']);
  });

  it('emits a change when an entry is added, and once when it is removed', () => {
    const registry = new Registry();
    const changed = jest.fn();
    registry.changed.connect(changed);
    const entry = registry.add({ id: 'a', rank: 1 });
    expect(changed).toHaveBeenCalledTimes(1);
    entry.dispose();
    entry.dispose();
    expect(changed).toHaveBeenCalledTimes(2);
    expect(registry.items).toEqual([]);
  });

  it('refuses a second entry with the same id', () => {
    const registry = new Registry();
    registry.add({ id: 'a', rank: 1 });
    expect(() => registry.add({ id: 'a', rank: 2 })).toThrow(/id a exists/);
  });
});
