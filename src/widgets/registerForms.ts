import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

import { satflowIcon } from '../icons';
import type { FlowsModel } from '../models/flows';
import { leave, pickUp } from '../models/leftForms';
import type { Preferences } from '../models/preferences';
import { RegisterModel } from '../models/register';
import type { IRegisterParts } from '../models/registerParts';
import { type ISavedForm, savedForm } from '../models/savedForm';
import type { StackModel } from '../models/stack';
import type { Intent, ISubject } from '../models/subject';
import type { Actions } from './actions';
import type { RegisterTab } from './registerTab';

/** The objects that the forms and their tabs require. */
export interface IFormParts extends IRegisterParts {
  flows: FlowsModel;
  stack: StackModel;
  preferences: Preferences;
  actions: Actions;
  trans: TranslationBundle;
}

/** Milliseconds without input before a form is saved for the next page load. */
const QUIET = 500;

type Tab = MainAreaWidget<RegisterTab>;

/** The open register forms, one for each flow of a notebook. */
export class RegisterForms {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly parts: IFormParts & { area: string }
  ) {}

  readonly tracker = new WidgetTracker<Tab>({ namespace: 'satflow-register' });

  /** Show the form of a flow; an open form keeps its values. */
  async open(subject: ISubject, intent: Intent): Promise<void> {
    const tab = this.find(subject) ?? (await this.add(this.model(subject)));
    tab.content.model.renew(subject);
    tab.content.model.ask(intent);
    this.shell.activateById(tab.id);
  }

  /** Open a saved form; its flow is requested again when the form is first visible. */
  async reopen(kept: ISavedForm): Promise<void> {
    const left = pickUp(idOf(kept.subject));
    const { subject, intent, draft } = left ?? kept;
    const model = this.model(subject);
    model.resume(intent, draft);
    await this.add(model);
  }

  /** Save the latest input when the page is left. */
  leave(): void {
    this.tracker.forEach(tab => leave(tab.id, savedForm(tab.content.model)));
  }

  /** Return the part of a tab to save. */
  saved(tab: Tab): ReadonlyPartialJSONValue {
    return savedForm(tab.content.model) as never;
  }

  private find(subject: ISubject): Tab | undefined {
    return this.tracker.find(tab => tab.id === idOf(subject));
  }

  private model(subject: ISubject): RegisterModel {
    const { executor, timezone } = this.parts.preferences;
    return new RegisterModel(subject, { executor, timezone }, this.parts);
  }

  private async add(model: RegisterModel): Promise<Tab> {
    const { RegisterTab } = await import('./registerTab');
    const content = new RegisterTab(model, this.parts);
    const tab = new MainAreaWidget({ content });
    const { flow } = model.subject;
    tab.id = idOf(model.subject);
    tab.title.label = this.parts.trans.__('Register %1', flow.name);
    tab.title.caption = tab.title.label;
    tab.title.icon = satflowIcon;
    tab.toolbar.hide();
    this.shell.add(tab, this.parts.area, { type: 'SatFlow Register' });
    await this.tracker.add(tab);
    this.keep(tab);
    return tab;
  }

  /** Save the form shortly after each change. */
  private keep(tab: Tab): void {
    const keeping = new Debouncer(() => this.tracker.save(tab), QUIET);
    tab.content.model.changed.connect(() => void keeping.invoke());
    tab.disposed.connect(() => keeping.dispose());
  }
}

/** Return the id of the flow's tab, which does not depend on the kernel if the flow has a notebook. */
function idOf({ flow, notebook, kernelId }: ISubject): string {
  return `satflow-register-${flow.variable}-${notebook ?? kernelId}`;
}
