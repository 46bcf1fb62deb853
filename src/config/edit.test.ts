/** Edits of one stream leave every other byte alone (docs/design/server.md, C2). */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { tidied } from './check.js';
import { readDocument, type Fields } from './document.js';
import { editEntry } from './edit.js';

const edit = (text: string, code: string, entry: Fields | undefined): string =>
  editEntry(readDocument('x.yaml', text), 'streams', code, entry).text;

it.each<[string, string, string, Fields | undefined, string]>([
  ['nothing', '', 'a', { source: 'tcp://h:1' }, 'streams:\n  a:\n    source: tcp://h:1\n'],
  ['comments alone', '# hello', 'a', {}, '# hello\nstreams:\n  a: {}\n'],
  ['a document mark', '---\n# hello\n', 'a', {}, '---\n# hello\nstreams:\n  a: {}\n'],
  ['no streams', 'data: /x # there\n\n# end\n', 'a', {}, 'data: /x # there\nstreams:\n  a: {}\n\n# end\n'],
  ['empty streams', 'streams: # none yet\ndata: x\n', 'a', { title: 'A' }, 'streams: # none yet\n  a:\n    title: A\ndata: x\n'],
  ['{} for streams', 'streams: {}  # none yet\n', 'a', {}, 'streams:  # none yet\n  a: {}\n'],
  ['no newline at the end', 'streams:\n  b:\n    title: B', 'a', {}, 'streams:\n  b:\n    title: B\n  a: {}\n'],
  [
    'CRLF',
    'streams:\r\n  b: {}\r\n',
    'a',
    { dvr: { enabled: true } },
    'streams:\r\n  b: {}\r\n  a:\r\n    dvr:\r\n      enabled: true\r\n',
  ],
  ['four spaces', 'streams:\n    b: {}\n', 'a', { title: 'A' }, 'streams:\n    b: {}\n    a:\n        title: A\n'],
  [
    'comments at the end of a stream',
    'streams:\n  b:\n    title: B\n    # more of b\n\n    # and more\n# the end\n',
    'a',
    {},
    'streams:\n  b:\n    title: B\n    # more of b\n\n    # and more\n  a: {}\n# the end\n',
  ],
  ['quoted names', 'streams:\n  "a":  {title: \'x\'}\n', 'a', { title: 'y: z' }, 'streams:\n  "a":  {title: "y: z"}\n'],
  [
    'quoted values',
    "streams:\n  a:\n    title:   'x'   # said\n",
    'a',
    { title: "it's" },
    "streams:\n  a:\n    title:   'it''s'   # said\n",
  ],
  ['a field that says nothing', 'streams:\n  a:\n    title:\n    source: x # y\n', 'a', { title: 'T' }, 'streams:\n  a:\n    title: T\n'],
  [
    'a text of many lines',
    'streams:\n  a:\n    title: |\n      one\n      two\n    dvr: {}\n',
    'a',
    { title: 'three\nfour' },
    'streams:\n  a:\n    title: "three\\nfour"\n',
  ],
  [
    'fields that go and come',
    'streams:\n  a:\n    # about the source\n    source: x\n    # about the title\n    title: y\n  b: {}\n',
    'a',
    { title: 'y', dvr: { enabled: false } },
    'streams:\n  a:\n    # about the source\n    # about the title\n    title: y\n    dvr:\n      enabled: false\n  b: {}\n',
  ],
  [
    'a stream that goes, with its comments',
    'streams:\n  # all\n  a: {}\n\n  # about b\n  # more\n  b:\n    title: B\n    # in b\n  # about c\n  c: {}\n',
    'b',
    undefined,
    'streams:\n  # all\n  a: {}\n\n  # about c\n  c: {}\n',
  ],
  ['the last that goes', 'streams:\n  a: {}\ndata: x\n', 'a', undefined, 'streams:\ndata: x\n'],
  [
    'JSON',
    '{"streams": {"a": {"title": "x"}, "b": {}}}',
    'a',
    { title: 'y', source: 's' },
    '{"streams": {"a": {"title": "y", "source": "s"}, "b": {}}}\n',
  ],
  ['JSON, one that goes', '{"streams": {"a": {}, "b": {}, "c": {}}}', 'b', undefined, '{"streams": {"a": {}, "c": {}}}\n'],
  ['JSON, the last that goes', '{"streams": {"a": {}, "b": {}}}', 'b', undefined, '{"streams": {"a": {}}}\n'],
  ['JSON, the only one that goes', '{"streams": {"a": {}}}', 'a', undefined, '{"streams": {}}\n'],
  [
    'JSON in lines',
    '{\n  "streams": {\n    "a": {}\n  }\n}\n',
    'b',
    { title: 'B' },
    '{\n  "streams": {\n    "a": {},\n    "b": {"title":"B"}\n  }\n}\n',
  ],
  [
    'fields that are merged in',
    'templates:\n  t: { dvr: &d { enabled: true, retention_sec: 5 } }\nstreams:\n  a:\n    dvr: { <<: *d, max_size_gb: 1 } # why\n',
    'a',
    { dvr: { enabled: false, retention_sec: 5, max_size_gb: 1 } },
    'templates:\n  t: { dvr: &d { enabled: true, retention_sec: 5 } }\nstreams:\n  a:\n    dvr: { <<: *d, max_size_gb: 1, "enabled": false } # why\n',
  ],
  [
    'an alias that changes',
    'streams:\n  a: &a { title: x }\n  b: *a # the same\n',
    'b',
    { title: 'y' },
    'streams:\n  a: &a { title: x }\n  b:\n    title: y\n',
  ],
  [
    'what others are aliases of',
    'streams:\n  # first\n  a: &a { title: x }\n  b: *a # the same\n',
    'a',
    { title: 'y' },
    'streams:\n  # first\n  a:\n    title: y\n  b: { title: x } # the same\n',
  ],
  [
    'what others are aliases of, gone',
    'streams:\n  a: &a { title: x }\n  b: { <<: *a }\n',
    'a',
    undefined,
    'streams:\n  b: { <<: { title: x } }\n',
  ],
  [
    'a merged field that goes',
    'streams:\n  a: &a { title: x }\n  b: { <<: *a, source: s }\n',
    'b',
    { source: 's' },
    'streams:\n  a: &a { title: x }\n  b:\n    source: s\n',
  ],
  ['an explicit key', 'streams:\n  ? a\n  : { title: x }\n', 'a', { title: 'y' }, 'streams:\n  ? a\n  : { title: "y" }\n'],
])('C2: %s', (_name, text, code, entry, expected) => {
  expect(edit(text, code, entry)).toBe(expected);
});

it('C2: half of a character is stored as an escape; what would be too long is refused', () => {
  const title = 'half \ud800 of one';
  const stored = Buffer.from(edit('streams: {}', 'a', { title })).toString();
  expect(readDocument('x.yaml', stored).value).toEqual({ streams: { a: { title } } });
  expect(() => edit('streams: {}', 'a', { title: 'x'.repeat(1_000_000) })).toThrow(/longer than 1000000 bytes/);
});

it('C2: an edit that is undone leaves the text as it was', () => {
  const text =
    'streams:\n  # first\n  a: { title: x } # one\n\n  b:\n    source:  "tcp://h:1" # two\n    dvr: {retention_sec: 60}\n# end\n';
  expect(edit(edit(text, 'c', { title: 'new' }), 'c', undefined)).toBe(text);
  expect(
    edit(edit(text, 'b', { source: 'udp://@:1', dvr: { retention_sec: 5 } }), 'b', { source: 'tcp://h:1', dvr: { retention_sec: 60 } }),
  ).toBe(text);
});

/** Values of all kinds that a field can have, among them those that YAML would read as something else. */
const texts = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom(
    '',
    'true',
    '5',
    '~',
    'null',
    '- a',
    'a: b',
    '# x',
    'x # y',
    ' a ',
    'line\nbreak',
    '"',
    "'",
    '*a',
    '&a',
    '!x',
    '{',
    '%',
    'udp://@:5000',
    '\t',
    '\u2028',
  ),
);
const entries: fc.Arbitrary<Fields> = fc
  .record(
    {
      source: texts,
      title: texts,
      template: texts,
      dvr: fc.record(
        {
          enabled: fc.boolean(),
          segment_duration: fc.double({ min: 1, max: 30, noNaN: true }),
          retention_sec: fc.nat(),
          storage_path: texts,
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  )
  // Fields of which nothing is said are not there (the store sees to that).
  .map(({ dvr, ...rest }) => (dvr === undefined || Object.keys(dvr).length === 0 ? rest : { ...rest, dvr }));

const codes = fc.constantFrom('a', 'b', 'c/1', 'd_2', '123', 'true', 'null', 'E-5', '0x1', '1e3', 'constructor', 'y', '-', '-x');

/** How a person might write a stream: its lines, indented by two steps. */
const chunk = (code: string): fc.Arbitrary<{ code: string; text: string }> =>
  fc
    .record({
      step: fc.constant(2),
      quote: fc.constantFrom('', '"', "'"),
      above: fc.constantFrom('', '  # about it\n', '  # about it\n  # in two lines\n'),
      beside: fc.constantFrom('', ' # beside', '   # far   away'),
      body: fc.constantFrom(
        ' {}',
        '',
        ' { title: x }',
        ' {title: "x", source: y , dvr: { enabled: false,retention_sec: 5 }}',
        "\n    title: x\n    source:   'y'",
        '\n    # in it\n    title: "x" # said\n\n    dvr:\n      # why\n      retention_sec:   60 # a minute\n      enabled: yes please',
        '\n      dvr:\n          enabled: true\n      title: >-\n        folded\n        text',
        '\n    dvr: &anchor_\n      retention_sec: 5\n    source: *text',
        '\n    <<: *merged\n    title: own',
        ' *merged',
      ),
      after: fc.constantFrom('', '    # in it still\n', '\n', '\n\n'),
    })
    .map(({ quote, above, beside, body, after }) => {
      // What would be read as something else is quoted; stringKeys reads all others as text.
      const mark = code === '-' || code.startsWith('-x') ? quote || '"' : quote;
      const lines = body.replace('&anchor_', `&anchor_${code.replace(/\W/g, '_')}`);
      // The comment stands beside the last line, except of a folded text, where it would be part of it.
      const said = lines.includes('>-') ? lines : `${lines}${beside}`;
      return { code, text: `${above}  ${mark}${code}${mark}:${said}\n${after}` };
    });

const files = fc
  .record({
    head: fc.constantFrom('', '# our file\n', '# our file\n\nlisten:   127.0.0.1:80 # there\n'),
    // Anchors that streams use.
    shared: fc.constant('templates:\n  t: &merged { title: &text "shared" }\n'),
    foot: fc.constantFrom('', '# the end\n', '\ndata:   "./dvr"   # here\n'),
    chunks: fc.uniqueArray(codes, { maxLength: 6 }).chain((names) => fc.tuple(...names.map(chunk))),
  })
  .map(({ head, shared, foot, chunks }) => ({ before: `${head}${shared}streams:\n`, chunks, foot }));

it('C2: whatever is written of a stream, all else is the same byte for byte (fuzz)', () => {
  let spliced = 0;
  fc.assert(
    fc.property(files, codes, fc.option(entries, { nil: undefined }), ({ before, chunks, foot }, code, entry) => {
      const text = before + chunks.map((one) => one.text).join('') + foot;
      const at = chunks.findIndex((one) => one.code === code);
      if (at < 0 && entry === undefined) return;
      const file = readDocument('x.yaml', text);
      const edited = editEntry(file, 'streams', code, entry);
      // It says what it should.
      const streams = { ...(file.value['streams'] as Fields | null) };
      if (entry === undefined) delete streams[code];
      else streams[code] = entry;
      const said = tidied(readDocument('x.yaml', edited.text).value);
      expect({ streams: {}, ...said }).toEqual(tidied({ ...file.value, streams }));
      // Nothing else has changed.
      const head =
        before +
        chunks
          .slice(0, at < 0 ? undefined : at)
          .map((one) => one.text.replace(/\n+$/, '\n'))
          .join('');
      const tail =
        at < 0
          ? foot
          : chunks
              .slice(at + 1)
              .map((one) => one.text)
              .join('') + foot;
      const squeezed = (all: string): string => all.replace(/\n{2,}/g, '\n');
      expect(squeezed(edited.text).startsWith(squeezed(head))).toBe(true);
      expect(edited.text.endsWith(tail)).toBe(true);
      spliced += 1;
    }),
    { numRuns: 600 },
  );
  expect(spliced).toBeGreaterThan(300);
});

it('C1: whatever the file holds, it is read or refused with CONFIG_INVALID (fuzz)', () => {
  const bits = fc.constantFrom(
    'streams',
    ':',
    ' ',
    '\n',
    '  ',
    '- ',
    '{',
    '}',
    '[',
    ']',
    ',',
    '"',
    "'",
    '#',
    '&a',
    '*a',
    '<<',
    '!x',
    '|',
    '>',
    '%',
    '---',
    '...',
    '?',
    '\t',
    'a',
    '\ufeff',
    '\0',
    '\ud800',
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 40 }), (parts) => {
      try {
        expect(readDocument('x.yaml', parts.join('')).value).toBeTypeOf('object');
      } catch (error) {
        expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
      }
    }),
    { numRuns: 3000 },
  );
});

it.each<[string, string, Fields | undefined, string]>([
  ['none yet', 'data: x # there\n', { url: 'http://h/' }, 'data: x # there\nhooks:\n  a:\n    url: http://h/\n'],
  [
    'one that changes',
    'hooks:\n  # the desk\n  a:\n    url: http://h/ # ours\n    batch: 5\nstreams: {}\n',
    { url: 'http://h/', batch: 7, streams: ['s/*'] },
    'hooks:\n  # the desk\n  a:\n    url: http://h/ # ours\n    batch: 7\n    streams:\n      - s/*\nstreams: {}\n',
  ],
  ['one that goes', 'hooks:\n  a: { url: http://h/ }\n  b: { url: http://i/ }\n', undefined, 'hooks:\n  b: { url: http://i/ }\n'],
  [
    'one that is an alias',
    'templates: { t: { title: x } }\nhooks:\n  b: &b { url: http://h/ }\n  a: *b # the same\n',
    { url: 'http://i/' },
    'templates: { t: { title: x } }\nhooks:\n  b: &b { url: http://h/ }\n  a:\n    url: http://i/\n',
  ],
])('C2: webhooks are edited as streams are: %s', (_what, text, entry, wanted) => {
  expect(editEntry(readDocument('x.yaml', text), 'hooks', 'a', entry).text).toBe(wanted);
});
