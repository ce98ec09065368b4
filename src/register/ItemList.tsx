import { addIcon, Button, deleteIcon } from '@jupyterlab/ui-components';
import React, { useContext } from 'react';

import type { ErrorBody } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { IconButton } from '../components/IconButton';
import { FormId, useFieldId } from '../components/useFieldId';
import { useTrans } from '../components/translation';
import { errorBelow } from '../errors';

export interface IItemListProps<Item extends { key: string }> {
  /** The request field. */
  name: string;
  label: string;
  addLabel: string;
  hint?: string;
  canAdd: boolean;
  items: readonly Item[];
  error: ErrorBody | null;
  create: () => Item;
  onChange: (items: Item[]) => void;
  render: (
    item: Item,
    error: ErrorBody | null,
    onChange: (item: Item) => void
  ) => JSX.Element;
}

/** A list of items that the user can extend; each has inputs with ids of their own. */
export function ItemList<Item extends { key: string }>(
  props: IItemListProps<Item>
): JSX.Element {
  const trans = useTrans();
  const { name, label, items, error, hint, onChange } = props;
  const id = useFieldId(name);
  const formId = useContext(FormId);
  return (
    <fieldset className="jp-Satflow-fieldset" id={id}>
      <legend>{label}</legend>
      {hint && <p className="jp-Satflow-hint">{hint}</p>}
      {items.map((item, position) => (
        <FormId.Provider key={item.key} value={`${formId}-${name}-${position}`}>
          <div
            className="jp-Satflow-listed"
            id={`${formId}-${name}-${position}`}
            data-testid={`satflow-${name}-item`}
          >
            <div className="jp-Satflow-listedInputs">
              {props.render(
                item,
                errorBelow(error, String(position)),
                changed =>
                  onChange(
                    items.map(one => (one.key === changed.key ? changed : one))
                  )
              )}
              <WholeError error={errorBelow(error, String(position))} />
            </div>
            <IconButton
              icon={deleteIcon}
              label={trans.__('Remove %1 %2', label, position + 1)}
              onClick={() =>
                onChange(items.filter(one => one.key !== item.key))
              }
              testId={`satflow-remove-${name}`}
            />
          </div>
        </FormId.Provider>
      ))}
      <WholeError error={error} />
      {props.canAdd && (
        <div>
          <Button
            type="button"
            className="jp-mod-styled jp-Satflow-add"
            data-testid={`satflow-add-${name}`}
            onClick={() => onChange([...items, props.create()])}
          >
            <addIcon.react tag="span" elementSize="normal" />
            {props.addLabel}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

/** The error of a whole item or list, as opposed to one of its inputs. */
function WholeError({ error }: { error: ErrorBody | null }): JSX.Element {
  return <>{error?.field === null && <ErrorNote error={error} />}</>;
}
