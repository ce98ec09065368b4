import React, { useEffect, useRef } from 'react';

import type { ErrorBody, JsonObject } from '../_api';
import { useUniqueFormId } from '../components/useFieldId';
import {
  type IParameterForm,
  missingParameters
} from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';

export interface IRunParametersProps {
  form: IParameterForm;
  data: JsonObject;
  /** An error; `field` is the path below the parameters. */
  error: ErrorBody | null;
  onChange: (data: JsonObject) => void;
}

/**
 * The parameters of one run. The focus moves to a field with an error or without a value; otherwise it stays, so that
 * the Enter key accepts all values.
 */
export function RunParameters(props: IRunParametersProps): JSX.Element {
  const { form, data, error, onChange } = props;
  const id = `${useUniqueFormId()}-run`;
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
      />
    </div>
  );
}
