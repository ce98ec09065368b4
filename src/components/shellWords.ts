import type { JsonValue } from '../_api';

/** Format a value as JSON, or as plain text if that cannot be mistaken for JSON. */
export function formatValue(value: JsonValue): string {
  return typeof value === 'string' && !isJson(value)
    ? value
    : JSON.stringify(value);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Quote a word for a POSIX shell, because the magic splits its line in the same way. */
export function quoteShellWord(text: string): string {
  if (/^[\w.,:/+=@%-]+$/.test(text)) {
    return text;
  }
  return /["\\$`]/.test(text)
    ? `'${text.replace(/'/g, `'"'"'`)}'`
    : `"${text}"`;
}
