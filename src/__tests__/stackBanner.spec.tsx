import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import { StackBanner } from '../stack/StackBanner';

describe('StackBanner', () => {
  const status = {
    kind: 'local' as const,
    state: 'starting' as const,
    step: 'the Prefect server',
    prefect_api: null,
    prefect_profile: null,
    store: null,
    stays: false
  };

  it('shows the step that it waits for', () => {
    const props = { error: null, onRetry: jest.fn() };
    render(<StackBanner {...props} status={status} />);
    expect(screen.getByRole('status').textContent).toContain(
      'the Prefect server'
    );
  });

  it('offers to retry what failed', () => {
    const onRetry = jest.fn();
    const failed = { ...status, state: 'failed' as const };
    render(<StackBanner status={failed} error={null} onRetry={onRetry} />);
    fireEvent.click(screen.getByRole('button', { name: 'Retry' }));
    expect(onRetry).toHaveBeenCalled();
  });

  it('is hidden when the stack is ready', () => {
    const ready = { ...status, state: 'ready' as const };
    const props = { error: null, onRetry: jest.fn() };
    const { container } = render(<StackBanner {...props} status={ready} />);
    expect(container.textContent).toBe('');
  });
});
