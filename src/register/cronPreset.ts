/** How often a schedule repeats, if a cron expression can be shown without its syntax. */
export type Repeat = 'hourly' | 'daily' | 'weekdays' | 'weekly' | 'monthly';

/** A cron expression as times and days. Fields that the repetition does not use keep their values. */
export interface ICronPreset {
  repeat: Repeat;
  minute: number;
  hour: number;
  /** 0 is Sunday. */
  weekday: number;
  /** Day of the month. */
  day: number;
}

/** Every day at six. */
export const DEFAULT_PRESET: ICronPreset = {
  repeat: 'daily',
  minute: 0,
  hour: 6,
  weekday: 1,
  day: 1
};

/** Return the times and days of a cron expression, or null if it is not one of the simple ones. */
export function parseCronPreset(cron: string): ICronPreset | null {
  const fields = cron.trim().split(/\s+/);
  const [minute, hour, day] = fields.map(parseField);
  const weekday = parseField(fields[4]);
  const pattern = fields.map(field => (parseField(field) === null ? field : 0));
  const given = { minute, hour, day, weekday };
  const repeat = REPEATS[pattern.join(' ').replace('MON-FRI', '1-5')];
  if (!repeat || !isInRange(given)) {
    return null;
  }
  const known = Object.entries(given).filter(([, value]) => value !== null);
  return { ...DEFAULT_PRESET, repeat, ...Object.fromEntries(known) };
}

/** Return the cron expression of times and days. */
export function formatCronPreset(preset: ICronPreset): string {
  const { repeat, minute, hour, weekday, day } = preset;
  switch (repeat) {
    case 'hourly':
      return `${minute} * * * *`;
    case 'daily':
      return `${minute} ${hour} * * *`;
    case 'weekdays':
      return `${minute} ${hour} * * 1-5`;
    case 'weekly':
      return `${minute} ${hour} * * ${weekday}`;
    default:
      return `${minute} ${hour} ${day} * *`;
  }
}

/** Cron expressions with 0 for each number → how often they repeat. */
const REPEATS: { [pattern: string]: Repeat | undefined } = {
  '0 * * * *': 'hourly',
  '0 0 * * *': 'daily',
  '0 0 * * 1-5': 'weekdays',
  '0 0 * * 0': 'weekly',
  '0 0 0 * *': 'monthly'
};

function parseField(field: string | undefined): number | null {
  return /^\d{1,2}$/.test(field ?? '') ? Number(field) : null;
}

function isInRange(given: { [field: string]: number | null }): boolean {
  const { minute, hour, day, weekday } = given;
  return (
    (minute ?? 0) <= 59 &&
    (hour ?? 0) <= 23 &&
    (day ?? 1) >= 1 &&
    (day ?? 1) <= 31 &&
    (weekday ?? 0) <= 6
  );
}
