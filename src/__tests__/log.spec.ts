import { atLeast, LogStore, matches, plain } from '../models/log';
import { line, logs } from './fakes';

describe('LogStore', () => {
  it('appends, and drops what it has', () => {
    const store = new LogStore();
    store.add(logs([line(0), line(1)]));
    store.add(logs([line(1), line(2)]));
    expect(store.lines.map(one => one.seq)).toEqual([0, 1, 2]);
  });

  it('puts a late line where it belongs', () => {
    const store = new LogStore();
    store.add(logs([line(0), line(5)]));
    store.add(logs([line(3)]));
    expect(store.lines.map(one => one.seq)).toEqual([0, 3, 5]);
  });

  it('sorts lines of one moment by their number', () => {
    const time = '2026-01-01T00:00:00Z';
    const store = new LogStore();
    store.add(logs([line(11, { time }), line(9, { time })]));
    expect(store.lines.map(one => one.seq)).toEqual([9, 11]);
  });

  it('sorts by time however its digits are written', () => {
    const store = new LogStore();
    const early = line(1, { time: '2026-01-01T00:00:00Z' });
    const late = line(0, { time: '2026-01-01T00:00:00.500000Z' });
    store.add(logs([late, early]));
    expect(store.lines.map(one => one.seq)).toEqual([1, 0]);
  });

  it('forgets everything on reset', () => {
    const store = new LogStore();
    store.add(logs([line(0), line(1)]));
    store.add(logs([line(1)], { reset: true, ended: true }));
    expect(store.lines.map(one => one.seq)).toEqual([1]);
    expect(store.ended).toBe(true);
  });

  it('holds a hundred thousand lines', () => {
    const store = new LogStore();
    for (let page = 0; page < 100; page++) {
      const lines = Array.from({ length: 1000 }, (_, i) => {
        const seq = page * 1000 + i;
        const time = new Date(Date.UTC(2026, 0, 1) + seq).toISOString();
        return line(seq, { time });
      });
      store.add(logs(lines));
    }
    expect(store.lines).toHaveLength(100_000);
    expect(matches(store.lines, 'line 99999')).toEqual([99_999]);
  });
});

describe('searching and filtering', () => {
  const lines = [
    line(0, { message: '\u001b[31mRed\u001b[0m alert', level: 40 }),
    line(1, { message: 'all is well' }),
    line(2, { message: 're-red' })
  ];

  it('finds words whatever their case, and through colours', () => {
    expect(matches(lines, 'RED')).toEqual([0, 2]);
    expect(matches(lines, 'red alert')).toEqual([0]);
    expect(matches(lines, '')).toEqual([]);
  });

  it('keeps lines of at least a level', () => {
    expect(atLeast(lines, 30).map(one => one.seq)).toEqual([0]);
    expect(atLeast(lines, 0)).toBe(lines);
  });

  it('takes colours off', () => {
    expect(plain(lines[0].message)).toBe('Red alert');
  });
});
