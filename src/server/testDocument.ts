/** Holds answers to the OpenAPI document: an answer whose status, type or shape it does not describe fails the test that got it. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

/** An answer, however it was got. */
export interface GivenAnswer {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: string;
}

interface Documented {
  readonly content?: Readonly<Record<string, { readonly schema?: object }>>;
}
interface Operation {
  readonly responses: Readonly<Record<string, Documented>>;
}
type PathItem = Readonly<Record<string, Operation | undefined>>;
interface Document {
  readonly paths: Readonly<Record<string, PathItem>>;
}

/** The description itself and the page of it are not described. */
const UNDESCRIBED = /^\/(openapi\.json$|docs(\/|$))/;

/** A document to hold answers to. */
export class ResponseChecker {
  readonly #document: Document;
  readonly #paths: { readonly template: string; readonly pattern: RegExp; readonly literals: number }[];
  readonly #ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: true });
  readonly #validators = new Map<string, ValidateFunction>();
  /** Operations and statuses that were seen, as `GET /path 200`. */
  readonly seen = new Set<string>();

  constructor(document: unknown) {
    this.#document = document as Document;
    formats.default(this.#ajv);
    this.#ajv.addSchema(document as object, 'document');
    this.#paths = Object.keys(this.#document.paths).map((template) => ({
      template,
      pattern: patternOf(template),
      literals: template.replace(/\{[^}]+\}/g, '').length,
    }));
  }

  /** @throws Error saying what of the answer the document does not describe */
  check(answer: GivenAnswer): void {
    const [path = ''] = answer.url.split('?', 1);
    if (UNDESCRIBED.test(path)) return;
    // The most literal of those that fit, as the router takes it.
    const [best] = this.#paths.filter(({ pattern }) => pattern.test(path)).sort((a, b) => b.literals - a.literals);
    const method = answer.method.toLowerCase();
    const item = best === undefined ? undefined : this.#document.paths[best.template];
    const operation = item?.[method] ?? (method === 'head' ? item?.['get'] : undefined);
    if (best === undefined || operation === undefined) return this.#checkRefusal(answer, item);
    const documented = operation.responses[String(answer.status)];
    if (documented === undefined) throw fault(answer, `${answer.method} ${best.template} has no status ${answer.status}`);
    this.seen.add(`${answer.method} ${best.template} ${answer.status}`);
    if (answer.method !== 'HEAD') this.#checkBody(answer, documented, [best.template, method, String(answer.status)]);
  }

  /** Where no route is: not found, not for this method, or no URL at all; and preflights of playback. */
  #checkRefusal(answer: GivenAnswer, item: PathItem | undefined): void {
    if (answer.method === 'OPTIONS' && answer.status === 204) return;
    const expected = item === undefined ? [400, 404, 405, 414] : [400, 405];
    if (!expected.includes(answer.status)) throw fault(answer, `nothing is described there, so ${expected.join(', ')} were expected`);
    if (answer.status === 405 && answer.headers['allow'] === undefined) throw fault(answer, '405 needs Allow');
    if (answer.method !== 'HEAD') this.#validate(answer, 'document#/components/schemas/Error');
  }

  #checkBody(answer: GivenAnswer, { content }: Documented, [template = '', method = '', status = '']: readonly string[]): void {
    if (content === undefined) {
      if (answer.body !== '') throw fault(answer, 'no body is described');
      return;
    }
    const type = String(answer.headers['content-type']).split(';', 1)[0] ?? '';
    const media = content[type];
    if (media === undefined) throw fault(answer, `${type} is none of ${Object.keys(content).join(', ')}`);
    if (!/[/+]json$/.test(type) || media.schema === undefined) return;
    const words = ['paths', template, method, 'responses', status, 'content', type, 'schema'];
    this.#validate(answer, `document#/${words.map(pointerWord).join('/')}`);
  }

  #validate(answer: GivenAnswer, ref: string): void {
    const validate = this.#validators.get(ref) ?? this.#ajv.compile({ $ref: ref });
    this.#validators.set(ref, validate);
    let value: unknown;
    try {
      value = JSON.parse(answer.body);
    } catch (cause) {
      throw new Error(fault(answer, 'the body is no JSON').message, { cause });
    }
    if (!validate(value)) throw fault(answer, this.#ajv.errorsText(validate.errors));
  }
}

function fault({ method, url, status, body }: GivenAnswer, what: string): Error {
  return new Error(`${method} ${url} answered ${status}, not as the OpenAPI document says: ${what}\n${body.slice(0, 2000)}`);
}

/** In a JSON pointer that is a URI's fragment. */
const pointerWord = (word: string): string => encodeURIComponent(word.replaceAll('~', '~0').replaceAll('/', '~1'));

/** Codes of playback's paths hold slashes, those of the API have them encoded. */
function patternOf(template: string): RegExp {
  const code = template.startsWith('/api/') ? '[^/]+' : '.+';
  const source = template
    .split(/(\{[^}]+\})/)
    .map((part) => (part === '{code}' ? code : part.startsWith('{') ? '[^/]+' : part.replace(/[.*+?^$()|[\]\\]/g, '\\$&')));
  return new RegExp(`^${source.join('')}$`);
}
