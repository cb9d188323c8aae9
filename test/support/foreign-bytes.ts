/** Numbers from one seed, the same on every machine (xorshift32). */
class Numbers {
  #state: number;

  constructor(seed: number) {
    this.#state = (Math.imul(seed, 0x9e3779b1) ^ 0x5bf03635) | 0 || 1;
  }

  /** A whole number, 0 ≤ n < `end`. */
  below(end: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % end;
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

/** Text on which parsers have failed before: limits of numbers, names of prototypes, odd white space, other encodings. */
const TOKENS = [
  '',
  '\0',
  '\r\n',
  '\uFEFF',
  '\u2028',
  '\ud800',
  '%00',
  '%2e%2e',
  '-1',
  '-0',
  '1e309',
  '9007199254740993',
  '99999999999999999999',
  '0x10',
  'NaN',
  'null',
  'true',
  '[]',
  '{}',
  '"',
  '\\',
  ':',
  ',',
  '__proto__',
  'constructor',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  'javascript:alert(1)',
  'https://user:pass@evil.example/',
];

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  ' ',
  '0',
  '310000027',
  'ÆØÅ\u0000',
  'x'.repeat(2_000),
  [],
  [[]],
  {},
  { toString: 1 },
];

const MOST_CHANGES = 6;
const DEPTH = 20_000;

/** A damaged copy of one of `seeds`; the same `number` gives the same bytes. */
export function foreignBytes(seeds: readonly Buffer[], number: number): Buffer {
  const numbers = new Numbers(number);
  let bytes: Buffer = Buffer.from(numbers.of(seeds));
  for (let left = 1 + numbers.below(MOST_CHANGES); left > 0; left -= 1) bytes = change(bytes, seeds, numbers);
  return bytes;
}

const joined = (...parts: readonly Buffer[]): Buffer => Buffer.concat(parts);

function change(bytes: Buffer, seeds: readonly Buffer[], numbers: Numbers): Buffer {
  const at = numbers.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + numbers.below(32));
  const before = bytes.subarray(0, at);
  switch (numbers.below(10)) {
    case 0:
      return bytes.map((byte, index) => (index === at ? byte ^ (1 << numbers.below(8)) : byte)) as Buffer;
    case 1:
      return joined(before, bytes.subarray(to));
    case 2:
      return joined(before, bytes.subarray(at, to), bytes.subarray(at));
    case 3:
      return joined(before);
    case 4:
      return joined(before, Buffer.from(numbers.of(TOKENS)), bytes.subarray(numbers.below(2) === 0 ? at : to));
    case 5: {
      const other = numbers.of(seeds);
      return joined(before, other.subarray(numbers.below(other.length + 1)));
    }
    case 6:
      return joined(before, Buffer.from([numbers.below(256), numbers.below(256)]), bytes.subarray(to));
    default:
      return changedJson(bytes, numbers) ?? joined(before, Buffer.from(numbers.of(TOKENS)), bytes.subarray(to));
  }
}

/** JSON with one value, one name or the whole nesting changed; undefined when the bytes are not JSON. */
function changedJson(bytes: Buffer, numbers: Numbers): Buffer | undefined {
  // Too deep to be changed without a loop of our own.
  if (bytes.length >= DEPTH) return undefined;
  let root: unknown;
  try {
    root = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (numbers.below(200) === 0) return Buffer.from('['.repeat(DEPTH) + ']'.repeat(DEPTH));
  const holder = { root };
  const places: [parent: Record<string, unknown>, name: string][] = [];
  const visit = (parent: object): void => {
    for (const [name, value] of Object.entries(parent)) {
      places.push([parent as Record<string, unknown>, name]);
      if (typeof value === 'object' && value !== null && places.length < 1_000) visit(value as object);
    }
  };
  visit(holder);
  const [parent, name] = numbers.of(places);
  switch (numbers.below(4)) {
    case 0:
      delete parent[name];
      break;
    case 1:
      define(parent, numbers.of([...TOKENS, name.toUpperCase(), `${name} `]), parent[name]);
      break;
    case 2:
      define(parent, name, numbers.of(TOKENS));
      break;
    default:
      define(parent, name, numbers.of(VALUES));
  }
  return Buffer.from(JSON.stringify(holder.root) ?? '');
}

/** As `parent[name] = value`, also for `__proto__`. */
function define(parent: object, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}
