import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { act } from '@testing-library/react';
import React from 'react';

import { ModelView } from '../components/modelView';
import { useTrans } from '../components/translation';

function Greeting(): JSX.Element {
  return <p>{useTrans().__('Runs')}</p>;
}

describe('ModelView', () => {
  it('provides its translations to the views inside it', async () => {
    const german = { ...nullTranslator.load('satflow_ext'), __: () => 'Läufe' };
    const view = new ModelView(german as never, [], () => <Greeting />);
    await act(async () => {
      Widget.attach(view, document.body);
      await view.renderPromise;
    });
    expect(view.node.textContent).toBe('Läufe');
    view.dispose();
  });
});
