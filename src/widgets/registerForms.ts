import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { Debouncer } from '@lumino/polling';

import { satflowIcon } from '../icons';
import type { FlowsModel } from '../models/flows';
import { leave, pickUp } from '../models/leftForms';
import type { Preferences } from '../models/preferences';
import { type Intent, type ISubject, RegisterModel } from '../models/register';
import type { IRegisterParts } from '../models/registerParts';
import { type ISavedForm, savedForm } from '../models/savedForm';
import type { StackModel } from '../models/stack';
import type { Actions } from './actions';
import type { RegisterTab } from './registerTab';

/** What the forms and their tabs need. */
export interface IFormParts extends IRegisterParts {
  flows: FlowsModel;
  stack: StackModel;
  preferences: Preferences;
  actions: Actions;
  trans: TranslationBundle;
}

/** Milliseconds of quiet before a form is kept for the next load of the page. */
const QUIET = 500;

type Tab = MainAreaWidget<RegisterTab>;

/** The register forms that are open: one for each flow of a notebook. */
export class RegisterForms {
  constructor(
    private readonly shell: JupyterFrontEnd.IShell,
    private readonly parts: IFormParts & { area: string }
  ) {}

  readonly tracker = new WidgetTracker<Tab>({ namespace: 'satflow-register' });

  /** Show the form of a flow, as the user left it where it is open. */
  async open(subject: ISubject, intent: Intent): Promise<void> {
    const tab = this.find(subject) ?? (await this.add(this.model(subject)));
    tab.content.model.renew(subject);
    tab.content.model.ask(intent);
    this.shell.activateById(tab.id);
  }

  /** Open a form as it was kept or left; its flow is asked for again when the user looks. */
  async reopen(kept: ISavedForm): Promise<void> {
    const left = pickUp(idOf(kept.subject));
    const { subject, intent, draft } = left ?? kept;
    const model = this.model(subject);
    model.resume(intent, draft);
    await this.add(model);
  }

  /** The page goes away: keep what was typed in the last moment. */
  leave(): void {
    this.tracker.forEach(tab => leave(tab.id, savedForm(tab.content.model)));
  }

  /** What to keep of a tab. */
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

  /** Keep what is typed, a moment after. */
  private keep(tab: Tab): void {
    const keeping = new Debouncer(() => this.tracker.save(tab), QUIET);
    tab.content.model.changed.connect(() => void keeping.invoke());
    tab.disposed.connect(() => keeping.dispose());
  }
}

/** The same for the same flow, whichever kernel it lives in. */
function idOf({ flow, notebook, kernelId }: ISubject): string {
  return `satflow-register-${flow.variable}-${notebook ?? kernelId}`;
}
