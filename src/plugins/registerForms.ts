import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

import type { Preferences } from '../components/preferences';
import type { FlowsModel } from '../flows/flows';
import { satflowIcon } from '../icons';
import type { Intent, IFlowSource } from '../register/flowSource';
import { RegisterModel } from '../register/register';
import type { IRegisterParts } from '../register/registerParts';
import type { IRegisterTabParts, RegisterTab } from '../register/registerTab';
import {
  type ISavedForm,
  saveForm,
  saveForReload,
  takeSavedForm
} from '../register/savedForm';

/** The objects that the forms and their tabs require. */
export interface IFormParts extends IRegisterParts, IRegisterTabParts {
  flows: FlowsModel;
  preferences: Preferences;
}

/** Milliseconds without input before a form is saved for the next page load. */
const SAVE_DELAY = 500;

type Tab = MainAreaWidget<RegisterTab>;

/** The open register forms, one for each flow of a notebook. */
export class RegisterForms {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly parts: IFormParts & { area: string }
  ) {}

  readonly tracker = new WidgetTracker<Tab>({ namespace: 'satflow-register' });

  /** Show the form of a flow; an open form keeps its values. */
  async openForm(subject: IFlowSource, intent: Intent): Promise<void> {
    const tab =
      this.findTab(subject) ?? (await this.addTab(this.createModel(subject)));
    tab.content.model.updateFlow(subject);
    tab.content.model.setIntent(intent);
    this.shell.activateById(tab.id);
  }

  /** Open a saved form; its flow is requested again when the form is first visible. */
  async reopenForm(kept: ISavedForm): Promise<void> {
    const left = takeSavedForm(tabIdOf(kept.subject));
    const { subject, intent, draft } = left ?? kept;
    const model = this.createModel(subject);
    model.restoreDraft(intent, draft);
    await this.addTab(model);
  }

  /** Save the latest input when the page is left. */
  saveAll(): void {
    this.tracker.forEach(tab =>
      saveForReload(tab.id, saveForm(tab.content.model))
    );
  }

  /** Return the part of a tab to save. */
  savedState(tab: Tab): ReadonlyPartialJSONValue {
    return saveForm(tab.content.model) as never;
  }

  private findTab(subject: IFlowSource): Tab | undefined {
    return this.tracker.find(tab => tab.id === tabIdOf(subject));
  }

  private createModel(subject: IFlowSource): RegisterModel {
    const { executor, timezone } = this.parts.preferences;
    return new RegisterModel(subject, { executor, timezone }, this.parts);
  }

  private async addTab(model: RegisterModel): Promise<Tab> {
    const { RegisterTab } = await import('../register/registerTab');
    const content = new RegisterTab(model, this.parts);
    const tab = new MainAreaWidget({ content });
    const { flow } = model.source;
    tab.id = tabIdOf(model.source);
    tab.title.label = this.parts.trans.__('Register %1', flow.name);
    tab.title.caption = tab.title.label;
    tab.title.icon = satflowIcon;
    tab.toolbar.hide();
    this.shell.add(tab, this.parts.area, { type: 'SatFlow Register' });
    await this.tracker.add(tab);
    this.saveOnChange(tab);
    return tab;
  }

  /** Save the form shortly after each change. */
  private saveOnChange(tab: Tab): void {
    const keeping = new Debouncer(() => this.tracker.save(tab), SAVE_DELAY);
    tab.content.model.changed.connect(() => void keeping.invoke());
    tab.disposed.connect(() => keeping.dispose());
  }
}

/** Return the id of the flow's tab, which does not depend on the kernel if the flow has a notebook. */
function tabIdOf({ flow, notebook, kernelId }: IFlowSource): string {
  return `satflow-register-${flow.variable}-${notebook ?? kernelId}`;
}
