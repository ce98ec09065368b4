import { InputGroup } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { LinesField } from '../components/LinesField';
import { useTrans } from '../components/translation';
import { useFieldId } from '../components/useFieldId';
import { errorBelow } from '../errors';
import type { FormOptionField } from './_options';
import type { IDraft } from './draft';
import { inputIdOf } from './focusField';
import type { IFormOption, OptionDraft } from './formOption';

export interface IOptionFieldsProps {
  options: readonly IFormOption<FormOptionField>[];
  draft: IDraft;
  error: ErrorBody | null;
  onChange: (change: Partial<IDraft>) => void;
}

/** The inputs of options, by their positions. */
export function OptionFields(props: IOptionFieldsProps): JSX.Element {
  const { options, draft, error, onChange } = props;
  return (
    <>
      {[...options]
        .sort((a, b) => a.position - b.position)
        .map(option => (
          <OptionField
            key={option.field}
            option={option}
            draft={draft[option.field]}
            error={errorBelow(error, option.field)}
            onChange={value => onChange({ [option.field]: value })}
          />
        ))}
    </>
  );
}

interface IOptionFieldProps {
  option: IFormOption;
  draft: OptionDraft;
  error: ErrorBody | null;
  onChange: (draft: OptionDraft) => void;
}

function OptionField(props: IOptionFieldProps): JSX.Element {
  switch (props.option.kind) {
    case 'lines':
    case 'paragraph':
      return <OptionLines {...props} />;
    case 'enumeration':
      return <OptionChoices {...props} />;
    case 'boolean':
      return <OptionCheckbox {...props} />;
    default:
      return <OptionText {...props} />;
  }
}

/** Lines of text; a paragraph is one text that contains them. */
function OptionLines(props: IOptionFieldProps): JSX.Element {
  const trans = useTrans();
  const { option, draft, error, onChange } = props;
  const isParagraph = option.kind === 'paragraph';
  return (
    <LinesField
      name={inputIdOf(option.field)}
      label={option.label(trans)}
      hint={option.hint?.(trans)}
      lines={
        isParagraph
          ? (draft as string).split('\n')
          : (draft as readonly string[])
      }
      error={error}
      onChange={lines => onChange(isParagraph ? lines.join('\n') : lines)}
    />
  );
}

function OptionText(props: IOptionFieldProps): JSX.Element {
  const trans = useTrans();
  const { option, draft, error, onChange } = props;
  const name = inputIdOf(option.field);
  const id = useFieldId(name);
  const isNumber = option.kind === 'number';
  return (
    <Field
      id={id}
      label={option.label(trans)}
      hint={option.hint?.(trans)}
      error={error}
    >
      <InputGroup
        id={id}
        data-testid={`satflow-${name}`}
        inputMode={isNumber ? 'decimal' : undefined}
        value={draft as string}
        onChange={event => onChange(event.target.value)}
      />
    </Field>
  );
}

function OptionCheckbox(props: IOptionFieldProps): JSX.Element {
  const trans = useTrans();
  const { option, draft, error, onChange } = props;
  const name = inputIdOf(option.field);
  const id = useFieldId(name);
  return (
    <Field
      id={id}
      label={option.label(trans)}
      hint={option.hint?.(trans)}
      error={error}
    >
      <input
        id={id}
        data-testid={`satflow-${name}`}
        type="checkbox"
        checked={draft as boolean}
        onChange={event => onChange(event.target.checked)}
      />
    </Field>
  );
}

function OptionChoices(props: IOptionFieldProps): JSX.Element {
  const trans = useTrans();
  const { option, draft, error, onChange } = props;
  const name = inputIdOf(option.field);
  const id = useFieldId(name);
  return (
    <fieldset
      id={id}
      className="jp-Satflow-choices"
      aria-describedby={error ? `${id}-error` : undefined}
    >
      <legend>{option.label(trans)}</legend>
      {(option.values ?? []).map(({ value, label, hint }) => (
        <label key={value} data-testid={`satflow-${name}-${value}`}>
          <input
            type="radio"
            name={id}
            checked={value === draft}
            onChange={() => onChange(value)}
          />
          <span>
            <strong>{label(trans)}</strong> {hint(trans)}
          </span>
        </label>
      ))}
      {error && <ErrorNote error={error} id={`${id}-error`} />}
    </fieldset>
  );
}
