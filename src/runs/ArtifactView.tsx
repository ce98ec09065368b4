import React from 'react';

import type { Artifact, JsonObject, JsonValue } from '../_api';

export interface IArtifactViewProps {
  artifact: Artifact;
}

/** An artifact as text, link, image or table; data written by runs is never interpreted as HTML. */
export function ArtifactView({ artifact }: IArtifactViewProps): JSX.Element {
  const { key, description } = artifact;
  return (
    <section
      className="jp-Satflow-artifact"
      data-testid="satflow-artifact"
      data-artifact={key}
    >
      {key && <h4>{key}</h4>}
      {description && <p>{description}</p>}
      <ArtifactContent artifact={artifact} />
    </section>
  );
}

function ArtifactContent({ artifact }: IArtifactViewProps): JSX.Element {
  const { type, data, key } = artifact;
  const rows = type === 'table' ? parseTableRows(data) : null;
  if (rows) {
    return <ArtifactTable rows={rows} />;
  }
  const picture = type === 'image' ? safeUrl(data) : null;
  if (picture) {
    return <img src={picture} alt={key ?? ''} />;
  }
  const link = parseLink(data);
  return link ? (
    <a href={link.url} target="_blank" rel="noopener noreferrer">
      {link.text}
    </a>
  ) : (
    <pre>{typeof data === 'string' ? data : JSON.stringify(data, null, 2)}</pre>
  );
}

function ArtifactTable({ rows }: { rows: JsonObject[] }): JSX.Element {
  const columns = [...new Set(rows.flatMap(row => Object.keys(row)))];
  return (
    <table>
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
