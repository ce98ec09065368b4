import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Button } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React, { useLayoutEffect, useRef } from 'react';

import type { Artifact, JsonObject, JsonValue, RunLink } from '../_api';
import { EmptyState } from '../components/EmptyState';
import { nameInvisible } from '../components/terminalText';
import { useTrans } from '../components/translation';

export interface IArtifactsPanelProps {
  artifacts: readonly Artifact[];
  /** Renders Markdown; without it, artifacts show its source. */
  rendermime: IRenderMimeRegistry | null;
  onOpen: (run: RunLink) => void;
}

/** The artifacts of a run and of its nested runs. */
export function ArtifactsPanel(props: IArtifactsPanelProps): JSX.Element {
  const trans = useTrans();
  const { artifacts, ...rest } = props;
  if (artifacts.length === 0) {
    return (
      <EmptyState
        testId="satflow-no-artifacts"
        message={trans.__('The run has created no artifacts.')}
      />
    );
  }
  return (
    <div className="jp-Satflow-artifacts">
      {artifacts.map(artifact => (
        <ArtifactView key={artifact.id} artifact={artifact} {...rest} />
      ))}
    </div>
  );
}

export type IArtifactViewProps = Omit<IArtifactsPanelProps, 'artifacts'> & {
  artifact: Artifact;
};

/**
 * An artifact as table, image, progress bar, link or Markdown. Markdown is sanitized like an output that JupyterLab does
 * not trust; all other data of runs is never interpreted as HTML.
 */
export function ArtifactView(props: IArtifactViewProps): JSX.Element {
  const trans = useTrans();
  const { artifact, onOpen } = props;
  const { key, description, nested_run: nested } = artifact;
  return (
    <section
      className="jp-Satflow-artifact"
      data-testid="satflow-artifact"
      data-artifact={key}
    >
      <div className="jp-Satflow-rowHead">
        {key && <h3>{nameInvisible(key)}</h3>}
        {nested && (
          <Button
            minimal
            className="jp-Satflow-link"
            title={trans.__('Open the nested run that created it')}
            onClick={() => onOpen(nested)}
          >
            {nameInvisible(`${nested.flow_name} / ${nested.name}`)}
          </Button>
        )}
      </div>
      {description && <p>{description}</p>}
      <ArtifactContent {...props} />
    </section>
  );
}

function ArtifactContent(props: IArtifactViewProps): JSX.Element {
  const { artifact, rendermime } = props;
  const { type, data, key } = artifact;
  const rows = type === 'table' ? parseTableRows(data) : null;
  if (rows) {
    return <ArtifactTable rows={rows} />;
  }
  if (type === 'progress' && typeof data === 'number') {
    return <ArtifactProgress name={key} percent={data} />;
  }
  const picture = type === 'image' ? safeUrl(data) : null;
  if (picture) {
    return <img src={picture} alt={key ?? ''} />;
  }
  const link = parseLink(data);
  if (link) {
    return (
      <a href={link.url} target="_blank" rel="noopener noreferrer">
        {link.text}
      </a>
    );
  }
  return type === 'markdown' && typeof data === 'string' && rendermime ? (
    <Markdown text={data} rendermime={rendermime} />
  ) : (
    <pre>{typeof data === 'string' ? data : JSON.stringify(data, null, 2)}</pre>
  );
}

function ArtifactProgress(props: {
  name: string | null;
  percent: number;
}): JSX.Element {
  const trans = useTrans();
  const percent = Math.min(100, Math.max(0, props.percent));
  return (
    <div className="jp-Satflow-facts">
      <progress
        max={100}
        value={percent}
        aria-label={props.name ?? trans.__('Progress')}
      />
      <span>{trans.__('%1 %', Math.floor(percent))}</span>
    </div>
  );
}

/** Markdown as JupyterLab renders it in outputs that it does not trust. */
function Markdown(props: {
  text: string;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { text, rendermime } = props;
  const host = useRef<HTMLDivElement>(null);
  // Its clean-up has to run before the node is removed.
  useLayoutEffect(() => {
    if (!host.current) {
      return;
    }
    const data = { 'text/markdown': text };
    const renderer = rendermime.createRenderer('text/markdown');
    Widget.attach(renderer, host.current);
    void renderer.renderModel(rendermime.createModel({ data, trusted: false }));
    return () => renderer.dispose();
  }, [text, rendermime]);
  return <div ref={host} data-testid="satflow-markdown" />;
}

/** Maximum number of rows of a table that are shown. */
const MAX_ROWS = 1000;

function ArtifactTable({ rows: all }: { rows: JsonObject[] }): JSX.Element {
  const trans = useTrans();
  const rows = all.slice(0, MAX_ROWS);
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))];
  return (
    <table>
      {all.length > MAX_ROWS && (
        <caption>
          {trans.__('The first %1 of %2 rows.', MAX_ROWS, all.length)}
        </caption>
      )}
      <thead>
        <tr>
          {columns.map(column => (
            <th key={column}>{column}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {columns.map(column => (
              <td key={column}>{formatCell(row[column])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function formatCell(value: JsonValue | undefined): string {
  return typeof value === 'object'
    ? JSON.stringify(value)
    : String(value ?? '');
}

/** Return the rows of a table. Prefect stores tables as JSON text: a list of rows, or lists of values by column name. */
function parseTableRows(data: JsonValue): JsonObject[] | null {
  const table = typeof data === 'string' ? parseJson(data) : data;
  if (Array.isArray(table)) {
    const isRow = (row: JsonValue): row is JsonObject =>
      typeof row === 'object' && row !== null && !Array.isArray(row);
    return table.every(isRow) ? (table as JsonObject[]) : null;
  }
  if (typeof table !== 'object' || table === null) {
    return null;
  }
  const columns = Object.entries(table);
  const height = Math.max(
    0,
    ...columns.map(([, values]) => (Array.isArray(values) ? values.length : 0))
  );
  return Array.from({ length: height }, (_, index) =>
    Object.fromEntries(
      columns.map(([name, values]) => [
        name,
        Array.isArray(values) ? (values[index] ?? null) : null
      ])
    )
  );
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return null;
  }
}

/** Parse a link, which Prefect writes as `[text](url)`. */
function parseLink(data: JsonValue): { text: string; url: string } | null {
  const match =
    typeof data === 'string' ? /^\[(.*)\]\((\S+)\)$/s.exec(data.trim()) : null;
  const url = safeUrl(match ? match[2] : data, ['http:', 'https:']);
  return url ? { text: match?.[1] || url, url } : null;
}

/** Return the URL if it is safe to follow, else null. */
export function safeUrl(
  data: JsonValue,
  protocols = ['http:', 'https:', 'data:']
): string | null {
  const protocol = protocolOf(data);
  if (protocol === null) {
    return null;
  }
  const url = String(data);
  const isImage = protocol !== 'data:' || url.startsWith('data:image/');
  return protocols.includes(protocol) && isImage ? url : null;
}

/** Return the protocol of a complete URL, or null. */
function protocolOf(data: JsonValue): string | null {
  try {
    return typeof data === 'string' ? new URL(data).protocol : null;
  } catch {
    return null;
  }
}
