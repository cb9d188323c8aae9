import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from 'nestjs-maskinporten';

export const root = join(import.meta.dirname, '../..');

/** Every page that users read, relative to the root. */
export const pages: readonly string[] = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  ...readdirSync(join(root, 'libs')).map((name) => `libs/${name}/README.md`),
];

export const read = (page: string): string => readFileSync(join(root, page), 'utf8');

export interface CodeBlock {
  readonly page: string;
  /** Line of the page at which the code begins, counted from 1. */
  readonly line: number;
  readonly code: string;
}

/** The fenced blocks of a language. */
export function codeBlocks(page: string, language: string): CodeBlock[] {
  const text = read(page);
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => ({
    page,
    line: text.slice(0, match.index).split('\n').length + 1,
    code: match[1] ?? '',
  }));
}

/** Targets of relative links, without their fragments. */
export function relativeLinks(page: string): string[] {
  return [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target.split('#', 1)[0] ?? '')
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target));
}

const BEGIN = '<!-- error-codes:begin -->';
const END = '<!-- error-codes:end -->';

/** The page with the table of all codes put where its marks are. */
export function withErrorTable(text: string, table: string): string {
  const [before, rest = ''] = text.split(BEGIN);
  const [, after] = rest.split(END);
  if (before === undefined || after === undefined) throw new Error('the page has no marks for the table');
  return `${before}${BEGIN}\n${table}\n${END}${after}`;
}

/** With what to do, in both languages. */
export function fullErrorTable(): string {
  return Object.entries(ERROR_CODES)
    .map(([code, { category, httpStatus, retryable, actBy, field, hint }]) =>
      [
        `### ${code}`,
        '',
        `${category} · status ${httpStatus} · ${retryable ? 'retryable' : 'not retryable'} · \`${actBy}\` · field \`${field}\``,
        '',
        `- ${hint.en}`,
        `- *${hint.nb}*`,
      ].join('\n'),
    )
    .join('\n\n');
}
