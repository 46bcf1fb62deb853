/** docs/reference/config.md, made from the schema of livetape.yaml: its fields, what each takes, and what holds where it is left out. */
import { z } from 'zod';
import { configSchema, DVR_DEFAULTS, dvrSchema, hookSchema, streamSchema, templateSchema } from '../src/config/index.js';

interface Field {
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Field[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly default?: unknown;
  readonly items?: Field;
  readonly properties?: Readonly<Record<string, Field>>;
}

/** The page. */
export function configReference(): string {
  const config = fieldsOf(configSchema);
  return `# livetape.yaml

The configuration of \`livetape serve\`: one YAML file, \`livetape.yaml\` unless \`--config\` names another. It need not be there: then the defaults hold. This page is made from the schema in
\`src/config/schema.ts\`; a commented file to begin with is [livetape.yaml](../guide/livetape.yaml).

The file is followed: a change holds at once, also after \`SIGHUP\`, and interrupts only the recordings that it must. \`listen\`, \`data\`, \`state\`, \`recorders\`, \`min_free_gb\`, \`playback.cache_mb\` and the paths in \`tls\` hold from the next start on.
A file that is wrong does not end a running server: what held goes on to hold, the log and \`/readyz\` say what is wrong (\`livetape.yaml:12:7: streams.news.dvr.retention_sec: …\`), and so it is when the file is taken away.
A start with a wrong file fails.

The API writes the same file. It changes the values that are concerned where they stand; comments, order and style elsewhere stay as they are. A comment right above a stream, and those
indented below it, go with the stream when it is deleted. Bound into a container the file can be replaced only when its folder is mounted, not the file alone.

Anchors, aliases and merge keys (\`<<\`) may be used. A field with nothing after its colon is left out. The file may have 1 MB. Relative paths begin at the folder of the file.

## The file

${table(config)}

## \`playback\`

${table(fieldsOf(configSchema.shape.playback))}

## \`auth\`

[Access](../guide/access.md) tells what it is for.

${table(fieldsOf(configSchema.shape.auth))}

### \`auth.keys\`

${table(within(configSchema.shape.auth, 'keys'))}

## \`http\`

${table(fieldsOf(configSchema.shape.http))}

### \`http.limits\`

${table(within(configSchema.shape.http, 'limits'))}

## \`tls\`

${table(fieldsOf(configSchema.shape.tls))}

## \`egress\`

${table(fieldsOf(configSchema.shape.egress))}

## \`hooks\`

Names (1 to 64 letters, digits, \`_\` and \`-\`) with what is said of each. [Webhooks](../guide/webhooks.md) tells what they send.

${table(fieldsOf(hookSchema))}

## \`streams\`

Names with what is said of each. A name is the stream's code: words of letters, digits, \`_\` and \`-\`, joined by \`/\`. No code is the beginning of another, and case does not tell two apart.

${table(fieldsOf(streamSchema))}

What a stream does not say, its template says; what that does not say, the defaults do; each field of \`dvr\` by itself. A stream without \`source\` is recorded from nothing: its archive can be played.

## \`dvr\`

${table(fieldsOf(dvrSchema.partial()), DVR_DEFAULTS)}

New limits (\`retention_sec\`, \`max_size_gb\`) hold at once and interrupt nothing; a new source takes the place of the old one within the recording; another segment duration or storage path ends the recording and begins another.

## \`templates\`

Names with what each gives to the streams that name it (\`template:\`).

${table(fieldsOf(templateSchema))}
`;
}

function fieldsOf(schema: z.ZodType): Readonly<Record<string, Field>> {
  const json = z.toJSONSchema(schema, { io: 'input' }) as Field;
  if (json.properties === undefined) throw new Error('the schema is not one of fields');
  return json.properties;
}

/** What a field of a schema holds: its own fields, or those of each in its list. */
function within(schema: z.ZodType, name: string): Readonly<Record<string, Field>> {
  const field = fieldsOf(schema)[name];
  const found = field?.properties ?? field?.items?.properties;
  if (found === undefined) throw new Error(`${name} has no fields`);
  return found;
}

function table(fields: Readonly<Record<string, Field>>, defaults: Readonly<Record<string, unknown>> = {}): string {
  const rows = Object.entries(fields).map(([name, field]) => {
    const standard = defaults[name] ?? field.default;
    return `| \`${name}\` | ${field.description ?? ''} | ${values(field)} | ${standard === undefined ? '' : `\`${JSON.stringify(standard)}\``} |`;
  });
  return ['| field | what it is | values | default |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function values(field: Field): string {
  if (field.const !== undefined) return `\`${JSON.stringify(field.const)}\``;
  if (field.enum !== undefined) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  if (field.anyOf !== undefined) return field.anyOf.map(values).join(', or ');
  if (field.type === 'object') return 'fields';
  if (field.type === 'array') return field.items?.type === 'object' ? 'list' : 'list of texts';
  if (field.type === 'boolean') return '`true`, `false`';
  if (field.type === 'string') return field.maxLength === undefined ? 'text' : `text, ${field.maxLength} characters at most`;
  const kind = field.type === 'integer' ? 'whole number' : 'number';
  const bounds = [
    ...(field.minimum === undefined ? [] : [`from ${field.minimum}`]),
    ...(field.maximum === undefined || field.maximum >= Number.MAX_SAFE_INTEGER ? [] : [`to ${field.maximum}`]),
  ];
  return [kind, ...bounds].join(' ');
}
