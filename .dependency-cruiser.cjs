/**
 * Arrows only go down: plugins, index → tokens, sidebar → features → components → client, stream, kernel → _api.
 * In a feature, views (`Name.tsx`) render the data of models (`name.ts`), and widgets (`name.tsx`) connect both.
 */
const layer = (name, from, to) => ({
  name,
  severity: 'error',
  from: { path: from },
  to: { path: to }
});

/** The features, and those that each may import. */
const FEATURES = {
  clusters: ['flows'],
  flows: [],
  register: ['flows', 'runs', 'stack'],
  runs: ['clusters', 'flows', 'stack'],
  stack: [],
  versions: ['flows', 'stack']
};

const NAMES = Object.keys(FEATURES);
const ALL = NAMES.join('|');

const feature = name => {
  const others = NAMES.filter(
    one => one !== name && !FEATURES[name].includes(one)
  );
  return layer(
    `${name}-imports-declared-features`,
    `^src/${name}/`,
    `^src/(${others.join('|')})/`
  );
};

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
      'the-border-sees-nothing-above',
      '^src/(client|stream|kernel|notebooks|lineMark|errors|format)\\.ts',
      `^src/(components|${ALL}|sidebar|plugins)/|^src/tokens`
    ),
    layer(
      'components-see-no-feature',
      '^src/components',
      `^src/(${ALL}|sidebar|plugins)/|^src/(client|stream|kernel|notebooks|tokens|icons)`
    ),
    ...NAMES.map(feature),
    layer(
      'features-see-no-sidebar',
      `^src/(${ALL})/`,
      '^src/(sidebar|plugins)/|^src/tokens'
    ),
    layer(
      'models-see-no-react',
      `^src/(components|${ALL})/(?!use[A-Z])[a-z]\\w*\\.ts$`,
      '/react/|^src/.*\\.tsx$'
    ),
    layer(
      'views-see-no-server',
      `^src/(components|${ALL}|sidebar)/.*\\.tsx$`,
      '^src/(client|stream|kernel|notebooks)'
    ),
    layer(
      'nothing-sees-plugins',
      '^src/(?!plugins|index|__tests__)',
      '^src/plugins'
    ),
    layer(
      'tokens-are-for-plugins',
      '^src/(?!plugins|index|tokens|__tests__)',
      '^src/tokens'
    )
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '__tests__' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true
  }
};
