import type { TranslationBundle } from '@jupyterlab/translation';

import type { JsonValue } from '../_api';
import { isSameJson } from '../components/parameterSchema';
import { RequestFailed } from '../errors';

/** A text in the user's language. */
export type TranslatedText = (trans: TranslationBundle) => string;

/** A possible value of an option. */
export interface IOptionValue {
  value: string;
  label: TranslatedText;
  hint: TranslatedText;
}

/** An option of a registration that the form shows by the kind of its values. */
export interface IFormOption<Field extends string = string> {
  /** The field of the request. */
  field: Field;
  /** The option of `%register_flow`. */
  flag: string;
  /** `lines` are one per line, `words` are separated by commas. */
  kind:
    | 'text'
    | 'number'
    | 'boolean'
    | 'paragraph'
    | 'lines'
    | 'words'
    | 'enumeration';
  default: JsonValue;
  isAdvanced: boolean;
  /** The place among the other options of its section; equal ones are in their order. */
  position: number;
  label: TranslatedText;
  hint?: TranslatedText;
  /** The possible values of an enumeration. */
  values?: readonly IOptionValue[];
}

/** The value of an option in the form: the text or the lines as typed, or the choice. */
export type OptionDraft = string | boolean | readonly string[];

/** Return the form's value of an option: the registered one, or the default. */
export function createOptionDraft(
  option: IFormOption,
  registered: JsonValue | undefined
): OptionDraft {
  const value = registered ?? option.default;
  if (Array.isArray(value)) {
    return option.kind === 'words' ? value.join(', ') : (value as string[]);
  }
  return typeof value === 'boolean' ? value : String(value ?? '');
}

/**
 * Return the value of an option that the form describes; empty text means the default.
 *
 * @throws RequestFailed if the text of a number is not one; `field` names the option.
 */
export function parseOptionDraft(
  option: IFormOption,
  draft: OptionDraft
): JsonValue {
  if (typeof draft === 'object') {
    return draft.map(line => line.trim()).filter(line => line !== '');
  }
  if (typeof draft === 'boolean') {
    return draft;
  }
  if (option.kind === 'words') {
    return draft.split(/[\s,]+/).filter(word => word !== '');
  }
  const text = draft.trim();
  if (text === '') {
    return option.default;
  }
  return option.kind === 'number' ? parseNumber(option, text) : text;
}

function parseNumber(option: IFormOption, text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value)) {
    throw new RequestFailed({
      error: 'BadRequest',
      message: `${text} is not a number.`,
      fix: 'Enter a number, or leave the field empty.',
      field: option.field
    });
  }
  return value;
}

/** Format the value of an option as flags of the magic, without the default. */
export function formatOptionFlags(
  option: IFormOption,
  value: JsonValue
): string[][] {
  if (isSameJson(value, option.default)) {
    return [];
  }
  const values = Array.isArray(value) ? value : [value];
  return values.map(one => [option.flag, String(one)]);
}

/** Return whether the form has another value than the default. */
export function isOptionSet(option: IFormOption, draft: OptionDraft): boolean {
  return !isSameJson(
    draft as JsonValue,
    createOptionDraft(option, null) as JsonValue
  );
}
