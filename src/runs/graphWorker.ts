import { type ILayoutRequest, layOutGraph } from './graphLayout';

/** A web worker that lays out graphs: it answers each request in turn. */
self.onmessage = ({ data }: MessageEvent<ILayoutRequest>) =>
  self.postMessage(layOutGraph(data));
