import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Preferences } from '../components/preferences';
import { IPreferences } from '../tokens';

/** The user settings. The schema of the same name also adds the toolbar button of notebooks. */
export const settings: JupyterFrontEndPlugin<IPreferences> = {
  id: 'satflow-ext:plugin',
  description: 'Provides the settings of SatFlow.',
  autoStart: true,
  optional: [ISettingRegistry],
  provides: IPreferences,
  activate: (_: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const preferences = new Preferences();
    registry
      ?.load(settings.id)
      .then(loaded => preferences.connectSettings(loaded))
      .catch(reason => console.error('Cannot load SatFlow settings.', reason));
    return preferences;
  }
};
