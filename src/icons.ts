import { LabIcon } from '@jupyterlab/ui-components';

import satflow from '../style/icons/satflow.svg';

export const satflowIcon = new LabIcon({
  name: 'satflow-ext:satflow',
  svgstr: satflow
});
