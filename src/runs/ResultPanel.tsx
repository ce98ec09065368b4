import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React, { useEffect, useState } from 'react';

import type { ErrorBody, ResultPreview, ResultTable, Run } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import { toErrorBody } from '../errors';
import { formatBytes, hasEnded } from '../format';
import type { IRunActions, IShownRun } from './runPanels';

export type IResultPanelProps = Pick<IShownRun, 'detail'> & {
  actions: Pick<IRunActions, 'onReadResult' | 'onInsertResult'>;
};

/** What the flow of a run returned. It is read when the panel is shown first. */
export function ResultPanel(props: IResultPanelProps): JSX.Element {
  const trans = useTrans();
  const { run, parents } = props.detail;
  const reason = explainMissing(run, parents.length > 0, trans);
  return reason ? (
    <EmptyState testId="satflow-no-result" message={reason} />
  ) : (
    <StoredResult {...props} />
  );
}

/** Return the reason why a run has no result, or null if it may have one. */
function explainMissing(
  { state_type }: Run,
  isNested: boolean,
  trans: TranslationBundle
): string | null {
  if (!hasEnded(state_type)) {
    return trans.__('The result appears here when the run has completed.');
  }
  if (state_type !== 'COMPLETED') {
    return trans.__('The run did not complete, so that it returned nothing.');
  }
  return isNested
    ? trans.__(
        'Only the run that contains this one stores what its flow returned.'
      )
    : null;
}

function StoredResult(props: IResultPanelProps): JSX.Element {
  const trans = useTrans();
  const { run } = props.detail;
  const { result, error } = useResult(props);
  if (error) {
    return <ErrorNote error={error} />;
  }
  if (!result) {
    return <p role="status">{trans.__('Loading…')}</p>;
  }
  return (
    <div
      className="jp-Satflow-result jp-Satflow-artifact"
      data-testid="satflow-result"
    >
      <div className="jp-Satflow-rowHead">
        <span className="jp-Satflow-hint">{describe(result, trans)}</span>
        <span className="jp-Satflow-rowEnd">
          <Button
            className="jp-mod-styled jp-Satflow-button"
            title={trans.__(
              'Insert a cell with the result of %1 into the notebook',
              run.name
            )}
            onClick={() => props.actions.onInsertResult(run)}
            data-testid="satflow-insert-result"
          >
            {trans.__('Read in the notebook')}
          </Button>
        </span>
      </div>
      <ResultContent result={result} />
    </div>
  );
}

/** Read the result when the panel is shown, and again when the run was executed again. */
function useResult({ detail: { run }, actions }: IResultPanelProps) {
  const [result, setResult] = useState<ResultPreview | null>(null);
  const [error, setError] = useState<ErrorBody | null>(null);
  useEffect(() => {
    let isCurrent = true;
    setResult(null);
    setError(null);
    actions.onReadResult().then(
      found => isCurrent && setResult(found),
      (reason: unknown) => isCurrent && setError(toErrorBody(reason))
    );
    return () => {
      isCurrent = false;
    };
  }, [run.id, run.end]);
  return { result, error };
}

/** Describe the result in one line: its kind and size. */
function describe(
  { kind, format, size, table }: ResultPreview,
  trans: TranslationBundle
): string {
  const bytes = formatBytes(size);
  if (table) {
    const { row_count: rows, column_count: columns } = table;
    return trans.__('%1 rows, %2 columns, %3', rows, columns, bytes);
  }
  switch (kind) {
    case 'none':
      return trans.__('The flow returned None.');
    case 'object':
      return trans.__(
        'A Python object, %1. It can be read in a notebook.',
        bytes
      );
    case 'large':
      return trans.__(
        '%1, which is too large to be shown. It can be read in a notebook.',
        bytes
      );
    case 'image':
      return format === 'figure'
        ? trans.__('Figure, %1', bytes)
        : trans.__('Image, %1', bytes);
    default:
      return bytes;
  }
}

/** The content is text or a PNG image, and never interpreted as HTML. */
function ResultContent({ result }: { result: ResultPreview }): JSX.Element {
  const trans = useTrans();
  const { text, table, image } = result;
  return (
    <>
      {text !== null && <pre tabIndex={0}>{text}</pre>}
      {table && <TableContent table={table} />}
      {image && (
        <img src={`data:image/png;base64,${image}`} alt={trans.__('Result')} />
      )}
    </>
  );
}

function TableContent({ table }: { table: ResultTable }): JSX.Element {
  const trans = useTrans();
  const { columns, rows, row_count, column_count } = table;
  const isWhole = rows.length === row_count && columns.length === column_count;
  return (
    <table>
      {!isWhole && (
        <caption>
          {trans.__(
            'The first %1 rows and %2 columns',
            rows.length,
            columns.length
          )}
        </caption>
      )}
      <thead>
        <tr>
          {columns.map((column, at) => (
            <th key={at} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {row.map((value, column) => (
              <td key={column}>{value}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
