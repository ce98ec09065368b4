// Calls methods of the browser's REST client from Node, against a real Jupyter server.
//
// Standard input carries one JSON line per call, {"method", "arguments"}; standard output answers each with one,
// {"method", "reply"} or {"method", "error"}. Its first line is {"methods": [...]}, what the client can do.
// The server's address and token come by the environment, as SERVER_URL and JUPYTER_TOKEN.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { createInterface } from 'node:readline';

const require = createRequire(import.meta.url);
const ts = require('typescript');

// The client as it stands in src/, not what a build has left behind.
require.extensions['.ts'] = (module, path) => {
  const compilerOptions = {
    module: ts.ModuleKind.CommonJS,
    target: ts.ScriptTarget.ES2020,
    esModuleInterop: true
  };
  const text = readFileSync(path, 'utf8');
  module._compile(
    ts.transpileModule(text, { compilerOptions }).outputText,
    path
  );
};

const { ServerConnection } = require('@jupyterlab/services');
const { Client } = require('../../src/client.ts');

// TypeScript's `private` leaves these two on the prototype.
const OWN = ['constructor', 'requestJson', 'request'];

function say(line) {
  process.stdout.write(JSON.stringify(line) + '\n');
}

async function plain(reply) {
  return reply instanceof globalThis.Blob ? reply.text() : (reply ?? null);
}

const client = new Client(
  ServerConnection.makeSettings({
    baseUrl: process.env.SERVER_URL,
    token: process.env.JUPYTER_TOKEN
  })
);

say({
  methods: Object.getOwnPropertyNames(Client.prototype).filter(
    name => !OWN.includes(name)
  )
});

for await (const line of createInterface({ input: process.stdin })) {
  const { method, arguments: values } = JSON.parse(line);
  try {
    say({ method, reply: await plain(await client[method](...values)) });
  } catch (reason) {
    say({ method, error: reason.body ?? String(reason) });
  }
}
