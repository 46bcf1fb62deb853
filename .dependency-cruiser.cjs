/**
 * Which room may import which (design.md, Where things live), checked by `npm run rooms`. The table is the whole story: a room that is
 * not in a room's list is not imported by it. Every other rule is about how: through its index.ts, without cycles, and who may touch Node.
 * test/rooms.test.ts breaks each rule once to see that it bites.
 */

/** Each room, and the rooms it may import; data flows from ingest to server, and the write and the read side meet in archive alone. */
const ROOMS = {
  base: [],
  model: ['base'],
  mpegts: ['base', 'model'],
  segmenter: ['base', 'model', 'mpegts'],
  hls: ['base', 'model'],
  storage: ['base', 'model'],
  archive: ['base', 'model', 'storage', 'hls', 'mpegts'],
  egress: ['base'],
  state: ['base'],
  access: ['base', 'model', 'state'],
  hooks: ['base', 'model', 'state', 'access', 'egress'],
  ingest: ['base', 'model', 'mpegts', 'egress'],
  buffer: ['base', 'model', 'ingest'],
  recorder: ['base', 'model', 'storage', 'archive', 'mpegts', 'segmenter', 'buffer', 'egress'],
  playback: ['base', 'model', 'storage', 'archive', 'hls', 'mpegts'],
  config: ['base', 'model', 'state', 'access', 'egress', 'storage', 'archive', 'ingest', 'buffer', 'recorder', 'playback'],
  server: [
    'base',
    'model',
    'state',
    'access',
    'egress',
    'hooks',
    'storage',
    'archive',
    'ingest',
    'buffer',
    'recorder',
    'playback',
    'config',
    'hls',
    'mpegts',
  ],
  cli: ['base', 'model', 'state', 'access', 'storage', 'archive', 'ingest', 'recorder', 'mpegts', 'playback', 'config', 'server'],
};

/** The page's rooms (web/src), likewise. It talks to the server over HTTP alone, so it imports nothing of src. */
const WEB_ROOMS = {
  api: [],
  time: ['api'],
  state: ['api'],
  parts: ['api', 'time', 'state'],
  pictures: ['api', 'state'],
  player: ['api', 'time', 'state', 'parts'],
  timeline: ['api', 'time', 'state', 'parts', 'pictures'],
  dialogs: ['api', 'time', 'state', 'parts'],
};

/** Rooms that are fed bytes and import nothing of Node, nor any package. */
const PURE = '^src/(mpegts|segmenter|hls|model)/';

/** Tests and what only tests use may reach for Node and for packages; who imports whom holds for them too. */
const TESTS = ['\\.test\\.ts$', '/test[A-Z][^/]*\\.ts$', 'Contract\\.ts$', '/testing/'];

/** Rooms that are given the whole library; every other room is below it. */
const ABOVE_THE_LIBRARY = ['cli', 'server'];

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => ({
  name: `room-${room}`,
  comment: `${room} may import ${allowed.join(', ') || 'no other room'} (design.md, Where things live)`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: {
    path: '^src/',
    pathNot: [`^src/(${[room, ...allowed].join('|')})/`, ...(ABOVE_THE_LIBRARY.includes(room) ? ['^src/livetape\\.ts$'] : [])],
  },
}));

const webRules = Object.entries(WEB_ROOMS).map(([room, allowed]) => ({
  name: `web-${room}`,
  comment: `web/src/${room} may import ${allowed.join(', ') || 'no other room of the page'} (docs/design/page.md, G2)`,
  severity: 'error',
  from: { path: `^web/src/${room}/` },
  to: { path: '^web/src/', pathNot: `^web/src/(${[room, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'no file imports itself by a detour, types included',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    ...roomRules,
    ...webRules,
    {
      name: 'web-alone',
      comment: 'the page and the library know nothing of each other: HTTP lies between them',
      severity: 'error',
      from: { path: '^(web|src)/' },
      to: { path: '^(web|src)/', pathNot: '^$1/' },
    },
    {
      name: 'known-room',
      comment: 'a new folder in src is a room: give it a line in the table',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(ROOMS).join('|')})/` },
      to: {},
    },
    {
      name: 'through-index',
      comment: 'another room is imported through its index.ts',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/[^/]+/', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'through-index-root',
      comment: 'livetape.ts and index.ts import rooms through their index.ts too',
      severity: 'error',
      from: { path: '^src/[^/]+\\.ts$', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/[^/]+/', pathNot: '^src/[^/]+/index\\.ts$' },
    },
    {
      name: 'library-below',
      comment: 'the library knows neither the command line nor the server',
      severity: 'error',
      from: { path: '^src/(livetape|index)\\.ts$' },
      to: { path: '^src/(cli|server|config)/' },
    },
    {
      name: 'pure-no-node',
      comment: 'mpegts, segmenter, hls and model import nothing of Node',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'pure-no-npm',
      comment: 'mpegts, segmenter, hls and model import no package',
      severity: 'error',
      from: { path: PURE, pathNot: TESTS },
      to: { path: '(^|/)node_modules/' },
    },
    {
      name: 'fs-where',
      // ingest/udp reads what the kernel dropped, in /proc/net: Linux says it nowhere else
      // recorder/children keeps house for its sockets, which are no storage of anybody's
      // state keeps the server's own small files, which are no archive's (docs/design/door.md)
      comment: 'node:fs is for storage/fs, ingest/file, ingest/udp, state, cli and recorder/children',
      severity: 'error',
      from: { path: '^src/', pathNot: [...TESTS, '^src/(storage/fs|ingest/file|ingest/udp|state|cli|recorder/children)/'] },
      to: { path: '^(node:)?fs(/promises)?$', dependencyTypes: ['core'] },
    },
    {
      name: 'no-tests',
      comment: 'no code imports what only tests use, or a package that is not installed with Livetape',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { path: [...TESTS, '^(test|bench|examples|scripts)/'] },
    },
    {
      name: 'no-dev-packages',
      comment: 'what Livetape runs on is in dependencies',
      severity: 'error',
      from: { path: '^src/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'] },
    },
    // `?url` is Vite's: the address of a file
    {
      name: 'resolves',
      comment: 'every import is there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: ['\\?url$', '^vite/client$'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.js', '.json'],
      conditionNames: ['import', 'node', 'default', 'types'],
      exportsFields: ['exports'],
    },
  },
};
