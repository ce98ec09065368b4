import type { ITranslator } from '@jupyterlab/translation';
import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { ErrorSchema, RJSFSchema, UiSchema } from '@rjsf/utils';
import validator from '@rjsf/validator-ajv8';
import React from 'react';

import type { JsonObject } from '../_api';

export interface ISchemaFormProps {
  /** Prefix of the inputs' ids. */
  id: string;
  schema: JsonObject;
  jsonFields?: readonly string[];
  data: JsonObject;
  /** Messages by field name. */
  errors?: { [field: string]: string };
  onChange: (data: JsonObject) => void;
  translator?: ITranslator;
}

/** JupyterLab's own form for a JSON schema, inside a form of ours; what is wrong is for the server to say. */
export function SchemaForm(props: ISchemaFormProps): JSX.Element {
  const { id, schema, jsonFields = [], data, errors = {}, onChange } = props;
  return (
    <FormComponent
      tagName={Group as never}
      idPrefix={id}
      schema={schema as RJSFSchema}
      formContext={{}}
      uiSchema={appearance(jsonFields)}
      formData={data}
      extraErrors={extraErrors(errors)}
      validator={validator}
      noValidate
      noHtml5Validate
      compact
      showModifiedFromDefault={false}
      showErrorList={false}
      translator={props.translator}
      onChange={event => onChange((event.formData ?? {}) as JsonObject)}
    />
  );
}

/** In place of the form element that cannot stand in another one. */
const Group = React.forwardRef<
  HTMLDivElement,
  React.PropsWithChildren<{ className?: string }>
>(({ className, children }, ref) => (
  <div className={className} ref={ref}>
    {children}
  </div>
));
Group.displayName = 'Group';

function appearance(
  jsonFields: readonly string[]
): UiSchema<ReadonlyJSONObject> {
  const asText = { 'ui:widget': 'textarea', 'ui:options': { rows: 3 } };
  return Object.fromEntries(jsonFields.map(key => [key, asText]));
}

function extraErrors(errors: { [field: string]: string }): ErrorSchema {
  return Object.fromEntries(
    Object.entries(errors).map(([key, message]) => [
      key,
      { __errors: [message] }
    ])
  ) as ErrorSchema;
}
