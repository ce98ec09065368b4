import {
  Button,
  closeIcon,
  moveDownIcon,
  moveUpIcon
} from '@jupyterlab/ui-components';
import {
  ADDITIONAL_PROPERTY_FLAG,
  type ArrayFieldTemplateItemType,
  type ArrayFieldTemplateProps,
  canExpand,
  descriptionId,
  errorId,
  type FieldTemplateProps,
  type ObjectFieldTemplateProps
} from '@rjsf/utils';
import React, { useEffect, useRef } from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from './ErrorNote';
import { IconButton } from './IconButton';
import { useTrans } from './translation';

/** Data that the form passes to its templates. */
export interface ISchemaFormContext {
  /** The form's id, which is the prefix of its fields' ids. */
  root: string;
  /** An error and the id of its field. */
  fieldError: { id: string; error: ErrorBody } | null;
}

const formContextOf = (props: { formContext?: unknown }): ISchemaFormContext =>
  props.formContext as ISchemaFormContext;

/** A field with its label, description and error, each linked to the input. */
export function FieldTemplate(props: FieldTemplateProps): JSX.Element {
  const { id, hidden, displayLabel, rawDescription, children } = props;
  const { root, fieldError: wrong } = formContextOf(props);
  const error = wrong?.id === id ? wrong.error : null;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => setInvalid(box.current, id, error !== null), [id, error]);
  if (hidden || id === root) {
    return <div hidden={hidden}>{children}</div>;
  }
  return (
    <div
      className={`jp-Satflow-field${isGroup(props) ? ' jp-mod-group' : ''}`}
      ref={box}
    >
      {displayLabel && <FieldLabel {...props} />}
      {children}
      {displayLabel && rawDescription && (
        <span className="jp-Satflow-hint" id={descriptionId(id)}>
          {rawDescription}
        </span>
      )}
      {error && <ErrorNote error={error} id={errorId(id)} />}
    </div>
  );
}

/** Return whether a field is an object or a list, which has its own legend and needs the space of several fields. */
function isGroup({ displayLabel, schema }: FieldTemplateProps): boolean {
  return !displayLabel && ['array', 'object'].includes(String(schema.type));
}

/** The label of a field. If the user can rename the field, it consists of the name and a button that removes the field. */
function FieldLabel(props: FieldTemplateProps): JSX.Element {
  const { id, label, required, schema } = props;
  const trans = useTrans();
  if (ADDITIONAL_PROPERTY_FLAG in schema) {
    return <EditableName {...props} />;
  }
  const item = /^(.*)-(\d+)$/.exec(label);
  return (
    <span>
      <label htmlFor={id}>
        {item ? `${item[1]} ${Number(item[2]) + 1}` : label}
      </label>
      {required && !item && (
        <span className="jp-Satflow-hint" aria-hidden="true">
          {` ${trans.__('required')}`}
        </span>
      )}
    </span>
  );
}

function EditableName(props: FieldTemplateProps): JSX.Element {
  const { label, onKeyChange, onDropPropertyClick } = props;
  const trans = useTrans();
  return (
    <span className="jp-Satflow-ownName">
      <input
        className="jp-mod-styled"
        aria-label={trans.__('Name')}
        defaultValue={label}
        onBlur={event => onKeyChange(event.target.value)}
      />
      <IconButton
        icon={closeIcon}
        label={trans.__('Remove %1', label)}
        onClick={onDropPropertyClick(label)}
      />
    </span>
  );
}

/** The fields of an object; those of the whole form are placed in columns. */
export function ObjectTemplate(props: ObjectFieldTemplateProps): JSX.Element {
  const { idSchema, title, description, properties } = props;
  const { root } = formContextOf(props);
  const fields = properties.map(one => one.content);
  if (idSchema.$id === root) {
    return <div className="jp-Satflow-schemaFields">{fields}</div>;
  }
  const isOpen = canExpand(props.schema, props.uiSchema, props.formData);
  return (
    <fieldset className="jp-Satflow-group" id={idSchema.$id}>
      <legend>{title}</legend>
      {description && <span className="jp-Satflow-hint">{description}</span>}
      {fields}
      {isOpen && (
        <AddButton to={title} onClick={props.onAddClick(props.schema)} />
      )}
    </fieldset>
  );
}

/** The items of a list, with buttons to add, move and remove items. */
export function ArrayTemplate(props: ArrayFieldTemplateProps): JSX.Element {
  const { idSchema, title, schema, items, canAdd, onAddClick } = props;
  return (
    <fieldset className="jp-Satflow-group" id={idSchema.$id}>
      <legend>{title}</legend>
      {schema.description && (
        <span className="jp-Satflow-hint">{schema.description}</span>
      )}
      {items.map(({ key, ...item }) => (
        <ArrayItem key={key} item={item} />
      ))}
      {canAdd && <AddButton to={title} onClick={onAddClick} />}
    </fieldset>
  );
}

function AddButton(props: { to: string; onClick: () => void }): JSX.Element {
  const trans = useTrans();
  const { to, onClick } = props;
  return (
    <Button
      type="button"
      className="jp-mod-styled jp-Satflow-button jp-Satflow-add"
      aria-label={trans.__('Add to %1', to)}
      onClick={onClick}
    >
      {trans.__('Add')}
    </Button>
  );
}

interface IItemProps {
  item: Omit<ArrayFieldTemplateItemType, 'key'>;
}

function ArrayItem({ item }: IItemProps): JSX.Element {
  const trans = useTrans();
  const { index, children, hasMoveUp, hasMoveDown, hasRemove } = item;
  const place = index + 1;
  return (
    <div className="jp-Satflow-item">
      {children}
      <IconButton
        icon={moveUpIcon}
        label={trans.__('Move item %1 up', place)}
        disabled={!hasMoveUp}
        onClick={item.onReorderClick(index, index - 1)}
      />
      <IconButton
        icon={moveDownIcon}
        label={trans.__('Move item %1 down', place)}
        disabled={!hasMoveDown}
        onClick={item.onReorderClick(index, index + 1)}
      />
      <IconButton
        icon={closeIcon}
        label={trans.__('Remove item %1', place)}
        disabled={!hasRemove}
        onClick={item.onDropIndexClick(index)}
      />
    </div>
  );
}

/** Set `aria-invalid`, which the form library's inputs do not support. */
function setInvalid(
  box: HTMLElement | null,
  id: string,
  isInvalid: boolean
): void {
  const input = box?.querySelector(`#${CSS.escape(id)}`);
  if (isInvalid) {
    input?.setAttribute('aria-invalid', 'true');
  } else {
    input?.removeAttribute('aria-invalid');
  }
}
