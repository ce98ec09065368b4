import type { TranslationBundle } from '@jupyterlab/translation';
import React, { useEffect, useRef } from 'react';

import type { ErrorBody, JsonObject } from '../_api';
import {
  type IParameterForm,
  missingParameters
} from '../models/parameterSchema';
import { useNewFormId } from './formId';
import { SchemaForm } from './SchemaForm';

export interface IRunParametersProps {
  form: IParameterForm;
  data: JsonObject;
  /** A mistake; `field` is the path below the parameters. */
  error: ErrorBody | null;
  onChange: (data: JsonObject) => void;
  trans: TranslationBundle;
}

/** The parameters of one run; the focus goes to what is wrong or missing, and stays away where Enter may take all as it is. */
export function RunParameters(props: IRunParametersProps): JSX.Element {
  const { form, data, error, onChange, trans } = props;
  const id = `${useNewFormId()}-run`;
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const [missing] = missingParameters(form, data);
    const wrong = root.current?.querySelector<HTMLElement>('[aria-invalid]');
    const empty = missing && document.getElementById(`${id}_${missing}`);
    (wrong || empty || null)?.focus();
  }, []);
  return (
    <div ref={root}>
      <SchemaForm
        id={id}
        schema={form.schema}
        jsonFields={form.jsonFields}
        data={data}
        error={error}
        onChange={onChange}
        trans={trans}
      />
    </div>
  );
}
