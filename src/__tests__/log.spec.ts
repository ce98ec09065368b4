import { plainText } from '../components/terminalText';
import {
  filterByLevel,
  filterByLogger,
  formatLines,
  loggerOf,
  logState,
  LogStore,
  findMatches,
  dropOverwritten
} from '../runs/log';
import { searchPattern } from '../runs/logText';
import { line, logs } from './fakes';

describe('LogStore', () => {
  it('appends new lines and drops known ones', () => {
    const store = new LogStore();
    store.addFrame(logs([line(0), line(1)]));
    store.addFrame(logs([line(1), line(2)]));
    expect(store.lines.map(one => one.seq)).toEqual([0, 1, 2]);
  });

  it('puts a late line where it belongs', () => {
    const store = new LogStore();
    store.addFrame(logs([line(0), line(5)]));
    store.addFrame(logs([line(3)]));
    expect(store.lines.map(one => one.seq)).toEqual([0, 3, 5]);
  });

  it('sorts lines of one moment by their number', () => {
    const time = '2026-01-01T00:00:00Z';
    const store = new LogStore();
    store.addFrame(logs([line(11, { time }), line(9, { time })]));
    expect(store.lines.map(one => one.seq)).toEqual([9, 11]);
  });

  it('sorts by time with any number of digits', () => {
    const store = new LogStore();
    const early = line(1, { time: '2026-01-01T00:00:00Z' });
    const late = line(0, { time: '2026-01-01T00:00:00.500000Z' });
    store.addFrame(logs([late, early]));
    expect(store.lines.map(one => one.seq)).toEqual([1, 0]);
  });

  it('forgets everything on reset', () => {
    const store = new LogStore();
    store.addFrame(logs([line(0), line(1)]));
    store.addFrame(logs([line(1)], { reset: true, ended: true }));
    expect(store.lines.map(one => one.seq)).toEqual([1]);
    expect(store.isComplete).toBe(true);
  });

  it('holds a hundred thousand lines', () => {
    const store = new LogStore();
    for (let page = 0; page < 100; page++) {
      const lines = Array.from({ length: 1000 }, (_, i) => {
        const seq = page * 1000 + i;
        const time = new Date(Date.UTC(2026, 0, 1) + seq).toISOString();
        return line(seq, { time });
      });
      store.addFrame(logs(lines));
    }
    expect(store.lines).toHaveLength(100_000);
    expect(findMatches(store.lines, searchPattern('line 99999'))).toEqual([
      99_999
    ]);
  });
});

describe('searching and filtering', () => {
  const lines = [
    line(0, { message: '\u001b[31mRed\u001b[0m alert', level: 40 }),
    line(1, { message: 'all is well' }),
    line(2, { message: 're-red' })
  ];

  it('finds words in any case, and across colors', () => {
    expect(findMatches(lines, searchPattern('RED'))).toEqual([0, 2]);
    expect(findMatches(lines, searchPattern('red alert'))).toEqual([0]);
    expect(findMatches(lines, searchPattern(''))).toEqual([]);
  });

  it('finds regular expressions, but no empty matches', () => {
    const find = (words: string) =>
      findMatches(lines, searchPattern(words, true));
    expect(find('^re')).toEqual([0, 2]);
    expect(find('x*')).toEqual([]);
    expect(find('w*')).toEqual([1]);
    expect(find('(')).toEqual([]);
  });

  it('keeps lines of at least a level', () => {
    expect(filterByLevel(lines, 30).map(one => one.seq)).toEqual([0]);
    expect(filterByLevel(lines, 0)).toBe(lines);
  });

  it('removes colors', () => {
    expect(plainText(lines[0].message)).toBe('Red alert');
  });
});

describe('the loading state of a log', () => {
  const store = new LogStore();

  it('is nothing before the server has sent anything', () => {
    expect(logState(store, false)).toBe('loading');
  });

  it('is incomplete while the run has ended and its log has not', () => {
    store.addFrame(logs([line(0)]));
    expect(logState(store, false)).toBe('live');
    expect(logState(store, true)).toBe('loading');
  });

  it('is complete once the server reports that no line will follow', () => {
    store.addFrame(logs([], { ended: true }));
    expect(logState(store, true)).toBe('whole');
  });
});

describe('progress bars', () => {
  it('are one line, that of their end', () => {
    const lines = ['start', '\r10%', '\r20%', '\r100%', 'done'].map(
      (message, seq) => line(seq, { message })
    );
    const shown = dropOverwritten(lines).map(one => plainText(one.message));
    expect(shown).toEqual(['start', '100%', 'done']);
  });

  it('of several tasks are one line each', () => {
    const lines = ['10%\r', '1/9\r', '20%\r', '2/9\r'].map((message, seq) =>
      line(seq, { message, task_run_id: seq % 2 ? 'b' : 'a' })
    );
    const shown = dropOverwritten(lines).map(one => plainText(one.message));
    expect(shown).toEqual(['20%', '2/9']);
  });

  it('take no line away that has nothing to do with them', () => {
    const lines = [line(0), line(1, { message: 'a\r\nb\r\n' }), line(2)];
    expect(dropOverwritten(lines)).toEqual(lines);
  });
});

describe('lines of Dask workers', () => {
  const lines = ['3', 'tcp://10.0.0.1:1'].map((worker, seq) =>
    line(seq, { logger: `prefect.task_runs on Dask worker ${worker}` })
  );

  it('name the worker in a copy', () => {
    const copied = formatLines(
      [{ ...lines[0], task_run_id: 't' }],
      new Map([['t', 'cut-1']])
    );
    expect(copied).toMatch(/ INFO cut-1 {2}@3 {2}line 0\n$/);
  });

  it('have the same logger on all workers', () => {
    expect(new Set(lines.map(loggerOf))).toEqual(
      new Set(['prefect.task_runs'])
    );
    expect(filterByLogger(lines, 'prefect.task_runs')).toEqual(lines);
  });
});
