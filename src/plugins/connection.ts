import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

import { Client, streamUrl } from '../client';
import { type ISocket, Stream } from '../stream';
import { IClient, IStream } from '../tokens';

export const client: JupyterFrontEndPlugin<IClient> = {
  id: 'satflow-ext:client',
  description: 'Provides the client of SatFlow’s REST API.',
  autoStart: true,
  provides: IClient,
  activate: ({ serviceManager }: JupyterFrontEnd): IClient =>
    new Client(serviceManager.serverSettings)
};

export const stream: JupyterFrontEndPlugin<IStream> = {
  id: 'satflow-ext:stream',
  description: 'Provides the event stream of the server.',
  autoStart: true,
  provides: IStream,
  activate: ({ serviceManager }: JupyterFrontEnd): IStream => {
    const settings = serviceManager.serverSettings;
    const open = (): ISocket => new settings.WebSocket(streamUrl(settings));
    return new Stream(open);
  }
};
