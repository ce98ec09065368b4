import type { TranslationBundle } from '@jupyterlab/translation';
import { InputGroup } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ErrorBody, WorkPool } from '../_api';
import { errorUnder } from '../errors';
import {
  type IInfrastructureDraft,
  isSaid,
  poolForm
} from '../models/infrastructure';
import { asObject, jsonTexts } from '../models/parameterSchema';
import { ErrorNote } from './ErrorNote';
import { Field } from './Field';
import { useFieldId } from './formId';
import { LinesField } from './LinesField';
import { SchemaForm } from './SchemaForm';

export interface IInfrastructureFieldsProps {
  /** The work pool that runs go to. */
  pool: WorkPool | null;
  draft: IInfrastructureDraft;
  /** A mistake here; `field` is the path below. */
  error: ErrorBody | null;
  onChange: (draft: IInfrastructureDraft) => void;
  trans: TranslationBundle;
}

type Name = 'image' | 'cpu' | 'memory' | 'gpus';

/** What each run is started with, as far as its work pool takes it; open where something is set or wrong. */
export function InfrastructureFields(
  props: IInfrastructureFieldsProps
): JSX.Element | null {
  const { pool, draft, error, trans } = props;
  const [isOpen, setOpen] = useState(isSaid(draft));
  if (!error && !isSaid(draft) && !pool?.takes.length) {
    return null;
  }
  return (
    <details
      className="jp-Satflow-advanced"
      data-testid="satflow-infrastructure"
      open={isOpen || error !== null}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('What runs are started with')}</summary>
      <div className="jp-Satflow-schemaFields">
        {error?.field === null && <ErrorNote error={error} />}
        {texts(trans).map(one => (
          <TextField key={one.name} {...props} {...one} />
        ))}
        <EnvField {...props} />
        <OtherFields {...props} />
      </div>
    </details>
  );
}

interface ITextFieldProps {
  name: Name;
  label: string;
  hint: string;
  step?: string;
}

function TextField(
  props: IInfrastructureFieldsProps & ITextFieldProps
): JSX.Element | null {
  const { pool, name, draft, step } = props;
  const error = errorUnder(props.error, name);
  const id = useFieldId(name);
  if (!pool?.takes.includes(name) && draft[name] === '' && !error) {
    return null;
  }
  return (
    <Field id={id} label={props.label} hint={props.hint} error={error}>
      <InputGroup
        id={id}
        data-testid={`satflow-${name}`}
        type={step ? 'number' : 'text'}
        min={step ? '0' : undefined}
        step={step}
        value={draft[name]}
        onChange={event =>
          props.onChange({ ...draft, [name]: event.target.value })
        }
      />
    </Field>
  );
}

function EnvField(props: IInfrastructureFieldsProps): JSX.Element | null {
  const { pool, draft, onChange, trans } = props;
  const error = errorUnder(props.error, 'env');
  if (!pool?.takes.includes('env') && draft.env.length === 0 && !error) {
    return null;
  }
  return (
    <LinesField
      name="env"
      label={trans.__('Environment variables')}
      hint={trans.__(
        'One a line, such as REGION=north. Prefect stores them readable: name credentials under Secrets.'
      )}
      lines={draft.env}
      error={error}
      onChange={env => onChange({ ...draft, env })}
    />
  );
}

/** What else the work pool takes, by the names in its base job template. */
function OtherFields(props: IInfrastructureFieldsProps): JSX.Element | null {
  const { pool, draft, onChange, trans } = props;
  const error = errorUnder(props.error, 'job_variables');
  const id = useFieldId('job-variables');
  const form = poolForm(pool);
  const names = Object.keys(asObject(form.schema.properties ?? {}));
  const [isWanted, setWanted] = useState(Object.keys(draft.more).length > 0);
  const isOpen = isWanted || error !== null;
  if (names.length === 0) {
    return error && <ErrorNote error={error} />;
  }
  return (
    <details
      className="jp-Satflow-advanced"
      open={isOpen}
      onToggle={event => setWanted(event.currentTarget.open)}
    >
      <summary>{trans.__('Other job variables of %1', pool?.name)}</summary>
      {isOpen && (
        <SchemaForm
          key={pool?.name}
          id={id}
          schema={form.schema}
          jsonFields={form.jsonFields}
          data={jsonTexts(form, draft.more)}
          error={error}
          onChange={more => onChange({ ...draft, more })}
          trans={trans}
        />
      )}
    </details>
  );
}

function texts(trans: TranslationBundle): ITextFieldProps[] {
  return [
    {
      name: 'image',
      label: trans.__('Container image'),
      hint: trans.__(
        'Its Python must be the one of this kernel, with satflow-ext installed. Empty: the work pool’s own.'
      )
    },
    {
      name: 'cpu',
      label: trans.__('Cores'),
      hint: trans.__('Of the run itself; Dask workers have their own size.'),
      step: 'any'
    },
    {
      name: 'memory',
      label: trans.__('Memory, in GiB'),
      hint: trans.__('A run that takes more is ended.'),
      step: 'any'
    },
    {
      name: 'gpus',
      label: trans.__('GPUs'),
      hint: trans.__('Whole ones.'),
      step: '1'
    }
  ];
}
