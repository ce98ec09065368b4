import type { TranslationBundle } from '@jupyterlab/translation';
import { Button } from '@jupyterlab/ui-components';
import React from 'react';

import type { ErrorBody, Preflight } from '../_api';
import { ErrorNote } from '../components/ErrorNote';
import { useTrans } from '../components/translation';
import { formatBytes, formatDuration } from '../format';
import { FindingList } from './FindingList';

export interface IPreflightPanelProps {
  report: Preflight | null;
  error: ErrorBody | null;
  activity: 'check' | 'rehearse' | null;
  onCheck: () => void;
  onTestCleanProcess: () => void;
}

/** The pre-flight report of a flow, with its captured objects and findings, before anything is sent. */
export function PreflightPanel(props: IPreflightPanelProps): JSX.Element {
  const trans = useTrans();
  const { report, error, activity } = props;
  return (
    <fieldset
      className="jp-Satflow-fieldset jp-Satflow-preflight"
      data-testid="satflow-preflight"
      aria-busy={activity !== null}
    >
      <legend>{trans.__('Pre-flight report')}</legend>
      <p role="status" data-testid="satflow-preflight-summary">
        {describeReport(props, trans)}
      </p>
      {error && <ErrorNote error={error} />}
      {report && <FindingList findings={report.findings} />}
      {report && <CapturedObjects report={report} />}
      <div className="jp-Satflow-preflightActions">
        <ActionButton {...props} words={trans.__('Check again')} to="check" />
        {report && !hasErrors(report) && report.rehearsed === null && (
          <ActionButton
            {...props}
            words={trans.__('Test in a clean process')}
            to="rehearse"
          />
        )}
      </div>
    </fieldset>
  );
}

function ActionButton(
  props: IPreflightPanelProps & { words: string; to: 'check' | 'rehearse' }
): JSX.Element {
  const { activity, to, words } = props;
  const act = to === 'check' ? props.onCheck : props.onTestCleanProcess;
  return (
    <Button
      type="button"
      className="jp-mod-styled"
      aria-disabled={activity !== null}
      onClick={() => activity === null && act()}
      data-testid={`satflow-preflight-${to}`}
    >
      {words}
    </Button>
  );
}

function CapturedObjects(props: { report: Preflight }): JSX.Element | null {
  const trans = useTrans();
  const { report } = props;
  const { captured, files, local_modules, packages } = report;
  return (
    <details>
      <summary>{trans.__('Captured objects, largest first')}</summary>
      <table className="jp-Satflow-captured">
        <tbody>
          {captured.map(each => (
            <tr key={each.where}>
              <td>{formatBytes(each.size)}</td>
              <td>
                <code>{each.where}</code>
              </td>
              <td>{each.type}</td>
            </tr>
          ))}
          {files.map(each => (
            <tr key={each.path} data-testid="satflow-preflight-file">
              <td>{formatBytes(each.size)}</td>
              <td>
                <code>{each.path}</code>
              </td>
              <td>{trans.__('file')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {local_modules.length > 0 && (
        <p>{trans.__('Local modules: %1', local_modules.join(', '))}</p>
      )}
      <p>{trans.__('Installed packages: %1', packages.join(', '))}</p>
    </details>
  );
}

function describeReport(
  { report, activity }: IPreflightPanelProps,
  trans: TranslationBundle
): string {
  if (activity === 'check') {
    return trans.__('Checking the flow in the kernel…');
  }
  if (activity === 'rehearse') {
    return trans.__('Testing in a clean process…');
  }
  if (!report) {
    return trans.__('Not checked.');
  }
  if (hasErrors(report)) {
    return trans.__('This flow cannot be registered. Fix the errors below.');
  }
  const size = formatBytes(
    report.files.reduce((sum, each) => sum + each.size, report.size ?? 0)
  );
  return report.rehearsed === null
    ? trans.__('%1 are packed with the flow.', size)
    : trans.__(
        '%1 are packed with the flow; a clean process loaded them in %2.',
        size,
        formatDuration(report.rehearsed)
      );
}

function hasErrors(report: Preflight): boolean {
  return report.findings.some(finding => finding.level === 'error');
}
