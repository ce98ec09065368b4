import { fireEvent, render, screen } from '@testing-library/react';
import React from 'react';

import type { ClusterClass, JsonObject } from '../_api';
import { createParameterForm } from '../components/parameterSchema';
import {
  toOptions,
  chosenOptions,
  ClusterClassModel
} from '../register/clusterClass';
import {
  ClusterClassFields,
  type IClusterClassState
} from '../register/ClusterClassFields';
import { clusterClass } from './clusterClasses';

describe('ClusterClassModel', () => {
  it('uses only the answer to the latest request', async () => {
    const answers: ((clusterClass: ClusterClass) => void)[] = [];
    const model = new ClusterClassModel({
      clusterClass: () => new Promise(resolve => answers.push(resolve))
    });
    const first = model.load({ kernel_id: 'k1', name: 'a:A' });
    const second = model.load({ kernel_id: 'k1', name: 'b:B' });
    answers[1](clusterClass('b:B'));
    answers[0](clusterClass('a:A'));
    await Promise.all([first, second]);
    expect(model.clusterClass?.name).toBe('b:B');
    expect(model.isBusy).toBe(false);
  });

  it('shows why there is no answer', async () => {
    const model = new ClusterClassModel({
      clusterClass: () => Promise.reject(new Error('There is no a:A.'))
    });
    await model.load({ kernel_id: 'k1', name: 'a:A' });
    expect([model.clusterClass, model.error?.message]).toEqual([
      null,
      'There is no a:A.'
    ]);
  });
});

describe('options of a class', () => {
  const form = createParameterForm(clusterClass('a:A').options_schema);

  it('are those that differ from what it does by itself', () => {
    const data = { zone: 'west', disk: 50, labels: '{"team": "sky"}' };
    expect(chosenOptions(form, data)).toEqual({
      zone: 'west',
      labels: { team: 'sky' }
    });
    expect(chosenOptions(form, { zone: '', disk: 10 })).toEqual({ disk: 10 });
  });

  it('are an object in either notation', () => {
    expect(toOptions('{"zone": "west"}')).toEqual({ zone: 'west' });
    expect(toOptions({ zone: 'west' })).toEqual({ zone: 'west' });
    expect([toOptions('{'), toOptions(undefined)]).toEqual([{}, {}]);
  });
});

describe('ClusterClassFields', () => {
  const show = (
    options: JsonObject,
    change: Partial<IClusterClassState> = {}
  ) => {
    const acts = { onLoadClass: jest.fn(), onOptions: jest.fn() };
    const state = { clusterClass: null, error: null, isBusy: false, ...change };
    const props = { options, state, ...acts };
    render(<ClusterClassFields {...props} />);
    return acts;
  };

  it.each([[{}], [{ backend: 'gateway' }], [{ backend: '' }]])(
    'shows no fields for a Dask Gateway: %j',
    options => {
      show(options);
      expect(screen.queryByRole('button')).toBeNull();
    }
  );

  it('asks for the class that was named', () => {
    const acts = show(
      { backend: 'a:A' },
      { clusterClass: clusterClass('b:B') }
    );
    fireEvent.click(screen.getByText('Show the options of a:A'));
    expect(acts.onLoadClass).toHaveBeenCalledWith('a:A');
  });

  it('keeps the other options and the typed text', () => {
    const options = { backend: 'a:A', maximum: 3, backend_options: '{}' };
    const acts = show(options, { clusterClass: clusterClass('a:A') });
    expect(screen.getByText(/Not shown.*api_token/)).toBeTruthy();
    fireEvent.change(screen.getByLabelText('zone'), {
      target: { value: 'west' }
    });
    expect(acts.onOptions).toHaveBeenLastCalledWith({
      backend: 'a:A',
      maximum: 3,
      backend_options: { zone: 'west' }
    });
    const labels = screen.getByLabelText('labels');
    fireEvent.change(labels, { target: { value: '{"team"' } });
    expect(labels).toHaveProperty('value', '{"team"');
  });
});
