import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { Observable } from './observable';

/** The executor that uses the flow's own task runner; the default. */
export const FLOW_EXECUTOR = 'flow';

/** The user's settings, or the schema's defaults until they are loaded. */
export class Preferences extends Observable {
  /** The time zone of new schedules; the browser's time zone if none is set. */
  get timezone(): string {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    return this.readText('timezone') || own || 'UTC';
  }

  /** The initial executor of a new registration. */
  get executor(): string {
    return this.readText('executor') || FLOW_EXECUTOR;
  }

  /** True if a notification is shown when a run that was started here ends. */
  get notifyOnFinish(): boolean {
    return this.settings?.composite.notifyOnFinish !== false;
  }

  /** True if a notification is shown when a run that was started elsewhere fails. */
  get notifyOnFailure(): boolean {
    return this.settings?.composite.notifyOnFailure !== false;
  }

  /** True if an opened log scrolls along with new lines. */
  get followLog(): boolean {
    return this.settings?.composite.followLog !== false;
  }

  connectSettings(settings: ISettingRegistry.ISettings): void {
    this.settings = settings;
    settings.changed.connect(this.emitChanged, this);
    this.emitChanged();
  }

  private readText(key: string): string {
    const value = this.settings?.composite[key];
    return typeof value === 'string' ? value : '';
  }

  private settings: ISettingRegistry.ISettings | null = null;
}
