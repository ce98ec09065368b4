import { Clipboard, Notification } from '@jupyterlab/apputils';
import type { ITranslator, TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Run } from '../_api';
import { ModelView } from '../components/modelView';
import type { FlowsModel } from '../flows/flows';
import type { StackModel } from '../stack/stack';
import { StackBanner } from '../stack/StackBanner';
import type { ExecutorCards } from './executorCards';
import type { RegisterModel } from './register';
import { type IRegisterActions, RegisterForm } from './RegisterForm';

/** Opens the tab of a run. */
interface IRunOpener {
  onOpen: (run: Run) => void;
}

/** The objects that the form's tab requires besides the form. */
export interface IRegisterTabParts {
  flows: FlowsModel;
  stack: StackModel;
  actions: IRunOpener;
  cards: ExecutorCards;
  translator: ITranslator;
  trans: TranslationBundle;
}

/** The main-area tab of a register form. */
export class RegisterTab extends ModelView {
  constructor(
    readonly model: RegisterModel,
    parts: IRegisterTabParts
  ) {
    super(
      parts.trans,
      [model, parts.stack, parts.cards],
      () => renderForm(model, parts),
      () => {
        parts.flows.enable();
        void parts.stack.ensureStarted();
      }
    );
    this.addClass('jp-Satflow-registerTab');
    // The choices of the form are available only when the stack is ready.
    parts.stack.callWhenReady(this, () => {
      void model.load().then(() => model.runPreflight(false));
    });
  }

  dispose(): void {
    this.model.dispose();
    super.dispose();
  }
}

function renderForm(
  model: RegisterModel,
  parts: IRegisterTabParts
): JSX.Element {
  const { stack, actions, cards, translator, trans } = parts;
  return (
    <>
      <StackBanner
        status={stack.status}
        error={stack.error}
        onRetry={() => void stack.start()}
      />
      <RegisterForm
        flow={model.source.flow}
        notebook={model.source.notebook}
        form={model.form}
        draft={model.draft}
        intent={model.intent}
        openCount={model.openCount}
        catalogue={model.catalogue}
        cards={cards.items}
        translator={translator}
        timezone={model.timezone}
        previews={model.preview.previews}
        foreignDeployment={model.foreignDeployment}
        workerUsage={model.workerUsage}
        clusterClass={model.clusterClass}
        preflight={model.preflight}
        error={model.error}
        isSending={model.isBusy}
        canOverwrite={model.canOverwrite}
        registered={model.registered}
        actions={formActions(model, actions, trans)}
      />
    </>
  );
}

function formActions(
  model: RegisterModel,
  actions: IRunOpener,
  trans: TranslationBundle
): IRegisterActions {
  return {
    onChange: change => model.changeDraft(change),
    onRegister: () => void model.register(),
    onOverwrite: () => void model.overwrite(),
    onRegisterAndRun: async () => {
      const run = await model.registerAndRun();
      if (run) {
        actions.onOpen(run);
      }
    },
    onCheck: () => void model.runPreflight(false),
    onTestCleanProcess: () => void model.runPreflight(true),
    onLoadClass: name => void model.loadClusterClass(name),
    onTestNotification: block => model.testNotification(block),
    onCopyCode: () => {
      try {
        Clipboard.copyToSystem(model.formatCode());
        Notification.success(trans.__('Copied. Paste it into a cell.'), {
          autoClose: 3000
        });
      } catch (reason) {
        model.showError(reason);
      }
    }
  };
}
