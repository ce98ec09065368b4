import { Button } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ClusterClass, ErrorBody, JsonObject } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { useFieldId } from '../components/useFieldId';
import {
  toJsonTexts,
  createParameterForm
} from '../components/parameterSchema';
import { SchemaForm } from '../components/SchemaForm';
import { useTrans } from '../components/translation';
import { toOptions, chosenOptions } from './clusterClass';

/** The state of the chosen cluster class. */
export interface IClusterClassState {
  clusterClass: ClusterClass | null;
  error: ErrorBody | null;
  isBusy: boolean;
}

export interface IClusterClassFieldsProps {
  state: IClusterClassState;
  /** The executor's options. */
  options: JsonObject;
  onLoadClass: (name: string) => void;
  onOptions: (options: JsonObject) => void;
}

/** The arguments of the chosen cluster provider's class, each in its own field, after the user asks for them. */
export function ClusterClassFields(
  props: IClusterClassFieldsProps
): JSX.Element | null {
  const trans = useTrans();
  const { state, options, onLoadClass } = props;
  const name = options.backend;
  if (typeof name !== 'string' || name === '' || name === 'gateway') {
    return null;
  }
  const found = state.clusterClass?.name === name ? state.clusterClass : null;
  return (
    <div data-testid="satflow-cluster-class">
      {!found && (
        <Button
          type="button"
          disabled={state.isBusy}
          onClick={() => onLoadClass(name)}
        >
          {state.isBusy
            ? trans.__('Loading the options of %1…', name)
            : trans.__('Show the options of %1', name)}
        </Button>
      )}
      {state.error && !state.isBusy && <ErrorNote error={state.error} />}
      {found && <ClassForm key={name} {...props} found={found} />}
    </div>
  );
}

function ClassForm(
  props: IClusterClassFieldsProps & { found: ClusterClass }
): JSX.Element {
  const trans = useTrans();
  const { found: clusterClass, options, onOptions } = props;
  const id = useFieldId('class');
  const form = createParameterForm(clusterClass.options_schema);
  // Keep the text typed into a JSON field while it is not valid JSON yet.
  const [typed, setTyped] = useState(() =>
    toJsonTexts(form, toOptions(options.backend_options))
  );
  return (
    <fieldset className="jp-Satflow-fieldset">
      <legend>{clusterClass.name}</legend>
      {clusterClass.purpose && (
        <p className="jp-Satflow-hint">{clusterClass.purpose}</p>
      )}
      {clusterClass.hidden.length > 0 && (
        <p className="jp-Satflow-hint">
          {trans.__(
            'Not shown, because a version would store them: %1. The class reads credentials from the environment of runs.',
            clusterClass.hidden.join(', ')
          )}
        </p>
      )}
      <SchemaForm
        id={id}
        schema={form.schema}
        jsonFields={form.jsonFields}
        data={typed}
        onChange={data => {
          setTyped(data);
          const chosen = chosenOptions(form, data);
          onOptions({ ...options, backend_options: chosen });
        }}
      />
    </fieldset>
  );
}
