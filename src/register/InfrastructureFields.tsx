import type { TranslationBundle } from '@jupyterlab/translation';
import { InputGroup } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ErrorBody, WorkPool } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { Field } from '../components/Field';
import { useFieldId } from '../components/useFieldId';
import { LinesField } from '../components/LinesField';
import { asObject, toJsonTexts } from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';
import {
  type IInfrastructureDraft,
  hasInfrastructure,
  jobVariablesForm
} from './infrastructure';

export interface IInfrastructureFieldsProps {
  /** The work pool of the runs. */
  pool: WorkPool | null;
  draft: IInfrastructureDraft;
  /** An error in this section; `field` is the path below it. */
  error: ErrorBody | null;
  onChange: (draft: IInfrastructureDraft) => void;
}

type Name = 'image' | 'cpu' | 'memory' | 'gpus';

/** The infrastructure of each run, as far as its work pool supports it; open if something is set or has an error. */
export function InfrastructureFields(
  props: IInfrastructureFieldsProps
): JSX.Element | null {
  const trans = useTrans();
  const { pool, draft, error } = props;
  const [isOpen, setOpen] = useState(hasInfrastructure(draft));
  if (!error && !hasInfrastructure(draft) && !pool?.takes.length) {
    return null;
  }
  return (
    <details
      className="jp-Satflow-advanced"
      data-testid="satflow-infrastructure"
      open={isOpen || error !== null}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Infrastructure')}</summary>
      <div className="jp-Satflow-schemaFields">
        {error?.field === null && <ErrorNote error={error} />}
        {textFields(trans).map(one => (
          <TextField key={one.name} {...props} {...one} />
        ))}
        <EnvField {...props} />
        <JobVariablesField {...props} />
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
  const error = errorBelow(props.error, name);
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
  const trans = useTrans();
  const { pool, draft, onChange } = props;
  const error = errorBelow(props.error, 'env');
  if (!pool?.takes.includes('env') && draft.env.length === 0 && !error) {
    return null;
  }
  return (
    <LinesField
      name="env"
      label={trans.__('Environment variables')}
      hint={trans.__(
        'One per line, such as REGION=north. Prefect stores them in plain text: for credentials, enter their names under Secrets.'
      )}
      lines={draft.env}
      error={error}
      onChange={env => onChange({ ...draft, env })}
    />
  );
}

/** The other job variables of the work pool, by their names in its base job template. */
function JobVariablesField(
  props: IInfrastructureFieldsProps
): JSX.Element | null {
  const trans = useTrans();
  const { pool, draft, onChange } = props;
  const error = errorBelow(props.error, 'job_variables');
  const id = useFieldId('job-variables');
  const form = jobVariablesForm(pool);
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
          data={toJsonTexts(form, draft.more)}
          error={error}
          onChange={more => onChange({ ...draft, more })}
        />
      )}
    </details>
  );
}

function textFields(trans: TranslationBundle): ITextFieldProps[] {
  return [
    {
      name: 'image',
      label: trans.__('Container image'),
      hint: trans.__(
        'It must have the Python version of this kernel, and satflow-ext. If empty, the image of the work pool is used.'
      )
    },
    {
      name: 'cpu',
      label: trans.__('Cores'),
      hint: trans.__('For the run itself; Dask workers have a separate size.'),
      step: 'any'
    },
    {
      name: 'memory',
      label: trans.__('Memory, in GiB'),
      hint: trans.__('A run that uses more is stopped.'),
      step: 'any'
    },
    {
      name: 'gpus',
      label: trans.__('GPUs'),
      hint: trans.__('A whole number.'),
      step: '1'
    }
  ];
}
