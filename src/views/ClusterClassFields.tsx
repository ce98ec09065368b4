import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React, { useState } from 'react';

import type { ClusterClass, ErrorBody, JsonObject } from '../_api';
import { asOptions, chosenOptions } from '../models/clusterClass';
import { jsonTexts, parameterForm } from '../models/parameterSchema';
import { ErrorNote } from './ErrorNote';
import { useFieldId } from './formId';
import { SchemaForm } from './SchemaForm';

/** What is known of the chosen class, and how to ask. */
export interface IClusterClassState {
  found: ClusterClass | null;
  error: ErrorBody | null;
  isBusy: boolean;
}

export interface IClusterClassFieldsProps {
  state: IClusterClassState;
  /** The executor's options. */
  options: JsonObject;
  onAsk: (name: string) => void;
  onOptions: (options: JsonObject) => void;
  trans: TranslationBundle;
}

/** The arguments of the chosen back end's class, each in a field of its own, once somebody wants to know them. */
export function ClusterClassFields(
  props: IClusterClassFieldsProps
): JSX.Element | null {
  const { state, options, onAsk, trans } = props;
  const name = options.backend;
  if (typeof name !== 'string' || name === '' || name === 'gateway') {
    return null;
  }
  const found = state.found?.name === name ? state.found : null;
  return (
    <div data-testid="satflow-cluster-class">
      {!found && (
        <Button
          type="button"
          disabled={state.isBusy}
          onClick={() => onAsk(name)}
        >
          {state.isBusy
            ? trans.__('Looking at %1…', name)
            : trans.__('What can %1 be told?', name)}
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
  const { found, options, onOptions, trans } = props;
  const id = useFieldId('class');
  const form = parameterForm(found.options_schema);
  // What is typed into a JSON field stays as it is while it is no JSON yet.
  const [typed, setTyped] = useState(() =>
    jsonTexts(form, asOptions(options.backend_options))
  );
  return (
    <fieldset className="jp-Satflow-fieldset">
      <legend>{found.name}</legend>
      {found.purpose && <p className="jp-Satflow-hint">{found.purpose}</p>}
      {found.hidden.length > 0 && (
        <p className="jp-Satflow-hint">
          {trans.__(
            'Not asked for here, as a version would keep them: %1. Its class finds credentials in the environment of runs.',
            found.hidden.join(', ')
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
        trans={trans}
      />
    </fieldset>
  );
}
