import { FormComponent } from '@jupyterlab/ui-components';
import type { ReadonlyJSONObject } from '@lumino/coreutils';
import type { RJSFSchema, UiSchema } from '@rjsf/utils';
import validator from '@rjsf/validator-ajv8';
import React from 'react';

import type { ErrorBody, JsonObject } from '../_api';
import { ErrorNote } from './ErrorNote';
import { findFieldPath } from './fieldPath';
import { asObject } from './parameterSchema';
import {
  ArrayTemplate,
  FieldTemplate,
  type ISchemaFormContext,
  ObjectTemplate
} from './schemaTemplates';

export interface ISchemaFormProps {
  /** The prefix of the inputs' ids. */
  id: string;
  schema: JsonObject;
  jsonFields?: readonly string[];
  data: JsonObject;
  /** An error in the form's data; `field` is the dotted path below the form, or empty for the whole form. */
  error?: ErrorBody | null;
  onChange: (data: JsonObject) => void;
}

const TEMPLATES = {
  FieldTemplate,
  ObjectFieldTemplate: ObjectTemplate,
  ArrayFieldTemplate: ArrayTemplate
};

/** JupyterLab's form for a JSON schema, nested in a form of ours; the server validates the data. */
export function SchemaForm(props: ISchemaFormProps): JSX.Element {
  const { id, schema, jsonFields = [], data, error, onChange } = props;
  const path = findFieldPath(schema, (error?.field ?? '').split('.'));
  const wrong =
    error && path.length > 0 ? { id: [id, ...path].join('_'), error } : null;
  const formContext: ISchemaFormContext = {
    root: id,
    fieldError: wrong
  };
  return (
    <>
      {error && !wrong && <ErrorNote error={error} />}
      <FormComponent
        tagName={FormGroup as never}
        idPrefix={id}
        schema={schema as RJSFSchema}
        formContext={formContext}
        uiSchema={createUiSchema(schema, jsonFields)}
        formData={data}
        templates={TEMPLATES}
        validator={validator}
        noValidate
        noHtml5Validate
        showErrorList={false}
        onChange={event => onChange((event.formData ?? {}) as JsonObject)}
      />
    </>
  );
}

/** Replaces the form element, which cannot be nested in another one. */
const FormGroup = React.forwardRef<
  HTMLDivElement,
  React.PropsWithChildren<{ className?: string }>
>(({ className, children }, ref) => (
  <div className={className} ref={ref}>
    {children}
  </div>
));
FormGroup.displayName = 'Group';

function createUiSchema(
  schema: JsonObject,
  jsonFields: readonly string[]
): UiSchema<ReadonlyJSONObject> {
  const asText = { 'ui:widget': 'textarea', 'ui:options': { rows: 3 } };
  // An empty checkbox would look like a value that is set.
  const asChoice = { 'ui:widget': 'select' };
  return Object.fromEntries([
    ...jsonFields.map(key => [key, asText]),
    ...booleansWithoutDefault(schema).map(key => [key, asChoice])
  ]) as UiSchema<ReadonlyJSONObject>;
}

/** Return the boolean fields without a default. */
function booleansWithoutDefault(schema: JsonObject): string[] {
  return Object.entries(asObject(schema.properties ?? {})).flatMap(
    ([key, one]) => {
      const { type, default: preset } = asObject(one);
      return type === 'boolean' && preset === undefined ? [key] : [];
    }
  );
}
