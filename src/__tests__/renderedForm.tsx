import { nullTranslator } from '@jupyterlab/translation';
import { render } from '@testing-library/react';
import React from 'react';

import type { ErrorBody, Registered } from '../_api';
import { createParameterForm } from '../components/parameterSchema';
import { createDraft, type IDraft } from '../register/draft';
import {
  type IRegisterFormProps,
  RegisterForm
} from '../register/RegisterForm';
import { createScheduleDraft } from '../register/scheduleDraft';
import { catalogue, deployment, flow } from './fakes';

export const wrong = (change: Partial<ErrorBody> = {}): ErrorBody => ({
  error: 'Wrong',
  message: 'It is wrong.',
  fix: 'Do this.',
  field: null,
  ...change
});

/** Return the text that describes an input. */
export function described(input: HTMLElement): string {
  const ids = input.getAttribute('aria-describedby')?.split(' ') ?? [];
  return ids.map(id => document.getElementById(id)?.textContent ?? '').join('');
}

const form = createParameterForm(flow().parameter_schema);
export const preset = { executor: 'threads', timezone: 'UTC' };
/** Draw the form with the actions of the user. */
export const show = (
  change: Partial<IDraft> = {},
  error: ErrorBody | null = null,
  registered: Registered | null = null,
  more: Partial<IRegisterFormProps> = {}
) => {
  const actions = {
    onChange: jest.fn(),
    onRegister: jest.fn(),
    onOverwrite: jest.fn(),
    onRegisterAndRun: jest.fn(),
    onCopyCode: jest.fn(),
    onCheck: jest.fn(),
    onTestCleanProcess: jest.fn(),
    onLoadClass: jest.fn(),
    onTestNotification: jest.fn().mockResolvedValue(undefined)
  };
  render(
    <RegisterForm
      flow={flow()}
      notebook="tiles.ipynb"
      form={form}
      draft={{ ...createDraft(flow(), null, preset), ...change }}
      intent="register"
      openCount={1}
      timezone="UTC"
      catalogue={catalogue()}
      cards={[]}
      translator={nullTranslator}
      clusterClass={{ clusterClass: null, error: null, isBusy: false }}
      preflight={{ report: null, error: null, activity: null }}
      previews={
        new Map([
          [cron.key, { nextRuns: ['2026-01-02T06:00:00Z'], error: null }]
        ])
      }
      foreignDeployment={null}
      workerUsage="peak 3.1 of 16 GiB over 12 runs: medium is enough"
      error={error}
      isSending={false}
      canOverwrite={false}
      registered={registered}
      actions={actions}
      {...more}
    />
  );
  return actions;
};
export const cron = { ...createScheduleDraft('UTC'), isCustom: true };

export function registered(changes: Partial<Registered>): Registered {
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    deployment: deployment(),
    outcome: 'changed',
    content: digest,
    content_size: 2048,
    manifest: digest,
    files: [],
    kept: [],
    warnings: [],
    ...changes
  };
}
