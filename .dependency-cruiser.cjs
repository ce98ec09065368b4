/** Arrows only go down: plugins → widgets → views, models → client, stream, kernel → _api. */
const layer = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: to }
});

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }
    },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$|__tests__|_api\\.ts$' },
      to: {}
    },
    layer('contract-is-a-leaf', '^src/_api', '^src/(?!_api)'),
    layer(
      'views-see-no-server',
      '^src/views',
      '^src/(client|stream|kernel|tokens|widgets|plugins)'
    ),
    layer(
      'models-see-no-views',
      '^src/models',
      '^src/(views|widgets|plugins|tokens|icons)'
    ),
    layer(
      'the-border-sees-no-models',
      '^src/(client|stream|kernel|errors|words)',
      '^src/(models|views|widgets|plugins|tokens)'
    ),
    layer(
      'widgets-see-no-plugins',
      '^src/widgets',
      '^src/(plugins|client|stream|tokens)'
    ),
    layer(
      'nothing-sees-plugins',
      '^src/(?!plugins|index|__tests__)',
      '^src/plugins'
    )
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '__tests__' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true
  }
};
