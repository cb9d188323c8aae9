// The arrows of the architecture: which room may import which.
// Core rooms, lowest first. A room may import `basics`, `errors` and the rooms listed for it, and nothing else of ours.
const rooms = {
  basics: [],
  errors: [],
  http: [],
  'key-files': [],
  certificates: ['key-files'],
  keys: ['key-files', 'certificates'],
  issuer: ['http'],
  pkcs11: ['keys', 'key-files'],
  'aws-kms': ['keys', 'key-files'],
  grants: ['keys', 'issuer'],
  'token-endpoint': ['grants', 'keys', 'issuer', 'http'],
  tokens: ['token-endpoint', 'grants', 'keys', 'issuer', 'http'],
  'self-service': ['tokens', 'token-endpoint', 'grants', 'keys', 'key-files', 'issuer', 'http'],
  // What rooms tell those who only listen.
  signals: ['tokens'],
  // Nest's side of decorators: which methods it calls through guards and interceptors.
  handlers: [],
  outbound: ['handlers', 'signals', 'tokens', 'grants', 'issuer'],
  'fan-out': ['outbound', 'signals', 'tokens', 'grants'],
  altinn: ['tokens', 'token-endpoint', 'grants', 'issuer', 'http'],
  rights: ['altinn', 'signals', 'tokens', 'grants', 'issuer'],
  // The provider's side.
  'resource-server': ['handlers', 'rights', 'altinn', 'signals', 'grants', 'issuer', 'http'],
  'system-user': ['handlers', 'rights', 'altinn', 'outbound', 'signals', 'tokens', 'grants', 'issuer'],
  // What is wrong with a set-up, in words that health and the doctor share.
  findings: ['keys', 'issuer'],
  doctor: ['findings', 'self-service', 'altinn', 'tokens', 'grants', 'keys', 'key-files', 'issuer', 'http'],
  // They only listen: nothing but the module and the command knows them.
  telemetry: ['signals'],
  audit: ['handlers', 'signals'],
  'audit-postgres': ['audit'],
  health: ['signals', 'findings', 'token-endpoint', 'keys', 'tokens'],
  // Variables, whoever reads them.
  environment: ['keys', 'issuer'],
  // The command: plain TypeScript on the rooms, never in the application's process.
  cli: [
    'environment',
    'findings',
    'doctor',
    'self-service',
    'resource-server',
    'system-user',
    'altinn',
    'audit',
    'audit-postgres',
    'tokens',
    'token-endpoint',
    'grants',
    'keys',
    'certificates',
    'key-files',
    'issuer',
    'http',
  ],
};
// The simulator's rooms: one per thing simulated, on a kernel that knows none of them.
const simulatorRooms = {
  kernel: [],
  maskinporten: ['kernel'],
  downstream: ['kernel', 'maskinporten', 'altinn'],
  altinn: ['kernel', 'maskinporten'],
  operator: ['kernel', 'maskinporten', 'altinn'],
  'self-service': ['kernel', 'maskinporten'],
};
const simulatorSrc = '^libs/simulator/src';
const src = '^libs/maskinporten/src';
const room = (names) => `${src}/(${names.join('|')})/`;

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    ...Object.entries(rooms).map(([name, allowed]) => ({
      name: `arrow-${name}`,
      comment: `${name}/ may import ${['basics', ...(name === 'basics' ? [] : ['errors']), ...allowed].join(', ')} only`,
      severity: 'error',
      from: { path: `${src}/${name}/`, pathNot: '\\.(spec|fixtures)\\.ts$' },
      to: { path: `${src}/`, pathNot: room([name, 'basics', ...(name === 'basics' ? [] : ['errors']), ...allowed]) },
    })),
    ...Object.entries(simulatorRooms).map(([name, allowed]) => ({
      name: `simulator-arrow-${name}`,
      comment: `${name}/ may import ${allowed.join(', ')} only`,
      severity: 'error',
      from: { path: `${simulatorSrc}/${name}/`, pathNot: '\\.(spec|fixtures)\\.ts$' },
      to: { path: `${simulatorSrc}/`, pathNot: `${simulatorSrc}/(${[name, ...allowed].join('|')})/` },
    })),
    {
      name: 'rooms-by-their-door',
      comment: 'another room is entered through its index.ts only',
      severity: 'error',
      from: { path: `${src}/([^/]+)/`, pathNot: '\\.(spec|fixtures)\\.ts$' },
      to: { path: `${src}/[^/]+/.+`, pathNot: [`${src}/$1/`, `${src}/[^/]+/index\\.ts$`] },
    },
    {
      name: 'module-on-top',
      comment: 'nothing but the root and the test doubles knows the module, which knows every room',
      severity: 'error',
      from: { path: `${src}/[^/]+/`, pathNot: ['\\.(spec|fixtures)\\.ts$', `${src}/(module|testing)/`] },
      to: { path: `${src}/module/` },
    },
    {
      name: 'module-uses-doors',
      severity: 'error',
      from: { path: `${src}/[^/]+\\.ts$`, pathNot: '\\.(spec|fixtures)\\.ts$' },
      to: { path: `${src}/[^/]+/.+`, pathNot: `${src}/[^/]+/index\\.ts$` },
    },
    {
      name: 'core-without-nest',
      comment:
        'http … tokens, altinn, rights, self-service and the doctor are plain TypeScript that a test constructs with `new`',
      severity: 'error',
      from: {
        path: [
          room([
            'basics',
            'errors',
            'http',
            'key-files',
            'certificates',
            'keys',
            'issuer',
            'grants',
            'token-endpoint',
            'tokens',
            'signals',
            'findings',
            'environment',
            'doctor',
            'self-service',
            'altinn',
            'rights',
          ]),
          `${src}/resource-server/verification/`,
        ],
        pathNot: '\\.(spec|fixtures)\\.ts$',
      },
      to: { path: '(^|node_modules/)(@nestjs|rxjs|axios|class-validator|class-transformer|reflect-metadata)' },
    },
    {
      name: 'command-stays-out-of-the-library',
      comment: 'an application never loads the command or what it is built on',
      severity: 'error',
      from: { path: `${src}/`, pathNot: ['\\.(spec|fixtures)\\.ts$', `${src}/cli/`] },
      to: { path: [`${src}/cli/`, '(^|node_modules/)(@types/)?yargs/'] },
    },
    {
      name: 'optional-peers-stay-optional',
      severity: 'error',
      from: {
        path: `${src}/`,
        pathNot: ['\\.(spec|fixtures)\\.ts$', `${src}/(health|redis|audit-postgres|pkcs11|aws-kms)/`],
      },
      to: {
        path: 'node_modules/(@nestjs/terminus|redis|ioredis|pg|node-pg-migrate|@electric-sql|graphene-pk11|pkcs11js|@aws-sdk)',
      },
    },
    {
      name: 'simulator-shares-no-code-with-the-client',
      severity: 'error',
      from: { path: '^libs/simulator/' },
      to: { path: '^(libs/maskinporten|src|node_modules/nestjs-maskinporten)/' },
    },
    {
      name: 'client-does-not-know-the-simulator',
      severity: 'error',
      from: { path: `${src}/`, pathNot: ['\\.(spec|fixtures)\\.ts$', `${src}/(testing|cli)/`] },
      to: { path: 'libs/simulator|maskinporten-simulator' },
    },
    {
      name: 'libraries-do-not-know-the-template',
      severity: 'error',
      from: { path: '^libs/', pathNot: '\\.(spec|fixtures)\\.ts$' },
      to: { path: '^(src|test|bench)/' },
    },
    {
      name: 'library-tests-do-not-know-the-template',
      comment: 'what all tests share is in test/support',
      severity: 'error',
      from: { path: '^libs/.*\\.(spec|fixtures)\\.ts$' },
      to: { path: '^(src|test|bench)/', pathNot: '^test/support/' },
    },
    {
      name: 'template-uses-the-public-names',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        path: '^libs/',
        pathNot: [
          '^libs/[^/]+/(src|dist)/index[.]',
          '^libs/[^/]+/(src|dist)/(environment|resource-server|testing|health|redis|audit-postgres|pkcs11|aws-kms)/index[.]',
        ],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'default'],
      extensions: ['.ts', '.cts', '.js', '.d.ts'],
    },
  },
};
