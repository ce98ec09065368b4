import { LabIcon } from '@jupyterlab/ui-components';

import pause from '../style/icons/pause.svg';
import satflow from '../style/icons/satflow.svg';

export const satflowIcon = new LabIcon({
  name: 'satflow-ext:satflow',
  svgstr: satflow
});

/** JupyterLab 4.2 does not have this icon. */
export const pauseIcon = new LabIcon({
  name: 'satflow-ext:pause',
  svgstr: pause
});
