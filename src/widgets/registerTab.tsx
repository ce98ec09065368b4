import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { FlowsModel } from '../models/flows';
import type { RegisterModel } from '../models/register';
import type { StackModel } from '../models/stack';
import { type IRegisterActions, RegisterForm } from '../views/RegisterForm';
import { StackBanner } from '../views/StackBanner';
import type { Actions } from './actions';
import { Drawn } from './drawn';

/** The objects that the form's tab requires besides the form. */
export interface IRegisterTabParts {
  flows: FlowsModel;
  stack: StackModel;
  actions: Actions;
  trans: TranslationBundle;
}

/** The main-area tab of a register form. */
export class RegisterTab extends Drawn {
  constructor(
    readonly model: RegisterModel,
    parts: IRegisterTabParts
  ) {
    super(
      [model, parts.stack],
      () => drawForm(model, parts),
      () => {
        parts.flows.enable();
        void parts.stack.ensure();
      }
    );
    this.addClass('jp-Satflow-registerTab');
    // The choices of the form are available only when the stack is ready.
    parts.stack.onceReady(this, () => {
      void model.load().then(() => model.check(false));
    });
  }

  dispose(): void {
    this.model.dispose();
    super.dispose();
  }
}

function drawForm(model: RegisterModel, parts: IRegisterTabParts): JSX.Element {
  const { stack, actions, trans } = parts;
  return (
    <>
      <StackBanner
        status={stack.status}
        error={stack.error}
        onRetry={() => void stack.start()}
        trans={trans}
      />
      <RegisterForm
        flow={model.subject.flow}
        notebook={model.subject.notebook}
        form={model.form}
        draft={model.draft}
        intent={model.intent}
        asked={model.asked}
        catalogue={model.catalogue}
        nextRuns={model.preview.nextRuns}
        foreign={model.foreign}
        needed={model.needed}
        clusterClass={model.clusterClass}
        preflight={model.preflight}
        error={model.error}
        scheduleError={model.preview.error}
        isSending={model.isBusy}
        canOverwrite={model.canOverwrite}
        registered={model.registered}
        actions={formActions(model, actions, trans)}
        trans={trans}
      />
    </>
  );
}

function formActions(
  model: RegisterModel,
  actions: Actions,
  trans: TranslationBundle
): IRegisterActions {
  return {
    onChange: change => model.update(change),
    onRegister: () => void model.register(),
    onOverwrite: () => void model.overwrite(),
    onRegisterAndRun: async () => {
      const run = await model.registerAndRun();
      if (run) {
        actions.onOpen(run);
      }
    },
    onCheck: () => void model.check(false),
    onRehearse: () => void model.check(true),
    onAskClass: name => void model.askClass(name),
    onCopyCode: () => {
      try {
        Clipboard.copyToSystem(model.code());
        Notification.success(trans.__('Copied. Paste it into a cell.'), {
          autoClose: 3000
        });
      } catch (reason) {
        model.fail(reason);
      }
    }
  };
}
