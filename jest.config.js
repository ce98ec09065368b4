const lab = require('@jupyterlab/testutils/lib/jest-config');

const modules = [
  '@codemirror',
  '@jupyter/',
  '@jupyterlab/',
  '@microsoft/',
  '@rjsf/',
  'exenv-es6',
  'lib0',
  'nanoid',
  'uuid',
  'vscode-ws-jsonrpc',
  'y-protocols',
  'y-websocket',
  'yjs'
].join('|');

module.exports = {
  ...lab(__dirname),
  automock: false,
  collectCoverageFrom: ['src/**/*.{ts,tsx}', '!src/**/_*.ts'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text'],
  modulePathIgnorePatterns: ['<rootDir>/lib', '<rootDir>/satflow_ext'],
  reporters: ['default'],
  roots: ['<rootDir>/src', '<rootDir>/style'],
  testRegex: 'src/__tests__/.*\\.spec\\.tsx?$',
  transformIgnorePatterns: [`/node_modules/(?!${modules}).+`]
};
