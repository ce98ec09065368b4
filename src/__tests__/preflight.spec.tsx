import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { Preflight, PreflightRequest } from '../_api';
import { PreflightModel } from '../register/preflight';
import { PreflightPanel } from '../register/PreflightPanel';
import { preflight } from './fakes';

const REQUEST: PreflightRequest = { kernel_id: 'k1', variable: 'tiles' };

describe('PreflightModel', () => {
  it('uses only the answer to the latest request', async () => {
    const answers: ((report: Preflight) => void)[] = [];
    const model = new PreflightModel({
      preflight: () => new Promise(resolve => answers.push(resolve))
    });
    const first = model.load(REQUEST);
    const second = model.load({ ...REQUEST, rehearse: true });
    expect(model.activity).toBe('rehearse');
    answers[1](preflight({ rehearsed: 2 }));
    await second;
    answers[0](preflight());
    await first;
    expect(model.report?.rehearsed).toBe(2);
    expect(model.activity).toBeNull();
  });

  it('shows why there is no report', async () => {
    const error = {
      error: 'KernelBusy',
      message: 'The kernel is running a cell.',
      fix: null,
      field: null
    };
    const model = new PreflightModel({
      preflight: () => Promise.reject(new Error(error.message))
    });
    await model.load(REQUEST);
    expect(model.report).toBeNull();
    expect(model.error?.message).toContain(error.message);
  });
});

describe('PreflightPanel', () => {
  function show(report: Preflight | null, doing: 'check' | null = null) {
    const onCheck = jest.fn();
    const onTestCleanProcess = jest.fn();
    render(
      <PreflightPanel
        report={report}
        error={null}
        activity={doing}
        onCheck={onCheck}
        onTestCleanProcess={onTestCleanProcess}
      />
    );
    return { onCheck, onTestCleanProcess };
  }

  it('shows size and findings, and offers a test in a clean process', () => {
    const credential = {
      kind: 'credential' as const,
      level: 'warning' as const,
      where: 'tiles -> KEY',
      message: 'looks like a GitHub token',
      fix: 'Declare it by name.'
    };
    const { onTestCleanProcess } = show(preflight({ findings: [credential] }));
    expect(screen.getByRole('status').textContent).toContain('7.6 MiB');
    expect(screen.getByTestId('satflow-finding').textContent).toBe(
      'Warning tiles -> KEY looks like a GitHub token. Declare it by name.'
    );
    fireEvent.click(screen.getByTestId('satflow-preflight-rehearse'));
    expect(onTestCleanProcess).toHaveBeenCalledTimes(1);
  });

  it('counts data files in, and lists them', () => {
    show(preflight({ files: [{ path: 'data/big.csv', size: 8_000_000 }] }));
    expect(screen.getByRole('status').textContent).toContain('15 MiB');
    expect(screen.getByTestId('satflow-preflight-file').textContent).toContain(
      'data/big.csv'
    );
  });

  it('offers no test of a flow that cannot be registered', () => {
    const lock = {
      kind: 'live object' as const,
      level: 'error' as const,
      where: 'tiles -> lock',
      message: 'a lock',
      fix: null
    };
    show(preflight({ size: null, findings: [lock] }));
    expect(screen.getByRole('status').textContent).toContain('cannot');
    expect(screen.queryByTestId('satflow-preflight-rehearse')).toBeNull();
  });

  it('does nothing twice', () => {
    const { onCheck } = show(null, 'check');
    fireEvent.click(screen.getByTestId('satflow-preflight-check'));
    expect(onCheck).not.toHaveBeenCalled();
  });
});
