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

const preset = lab(__dirname);

module.exports = {
  ...preset,
  automock: false,
  collectCoverageFrom: ['src/**/*.{ts,tsx}', '!src/**/_*.ts'],
  coverageDirectory: 'coverage',
  coverageReporters: ['text'],
  modulePathIgnorePatterns: ['<rootDir>/lib', '<rootDir>/satflow_ext'],
  reporters: ['default'],
  roots: ['<rootDir>/src', '<rootDir>/style'],
  setupFilesAfterEnv: ['<rootDir>/src/__tests__/patience.ts'],
  testRegex: 'src/__tests__/.*\\.spec\\.tsx?$',
  testTimeout: 120_000, // of a test on a busy machine; most take milliseconds
  // Types are checked once for all files (scripts/check), not in each test.
  transform: {
    ...preset.transform,
    '^.+\\.tsx?$': [
      'ts-jest/legacy',
      { tsconfig: './tsconfig.test.json', isolatedModules: true }
    ]
  },
  transformIgnorePatterns: [`/node_modules/(?!${modules}).+`]
};
