import { docSummary, formatDateTime } from '../format';

describe('formatDateTime', () => {
  const now = new Date('2026-11-30T12:00:00Z');

  it.each([
    ['2026-12-04T06:00:00Z', false],
    ['2099-01-30T06:00:00Z', true]
  ])('shows the year of %s if it is not the current one', (time, hasYear) => {
    const shown = formatDateTime(time, 'UTC', now);
    expect(shown.includes(time.slice(0, 4))).toBe(hasYear);
  });
});

describe('docSummary', () => {
  it.each([
    ['Write a report.\n\nArgs:\n    region: north.', 'Write a report.'],
    ['Write.\n\nParameters\n----------\nregion : str', 'Write.'],
    ['Write.\n\n:param region: north.', 'Write.'],
    ['Write Args: as they are.', 'Write Args: as they are.'],
    ['', '']
  ])('leaves the sections of %j out', (doc, summary) => {
    expect(docSummary(doc)).toBe(summary);
  });
});
