/** A sentence in the languages of the command: English and Norwegian (bokmål). */
export interface Text {
  readonly en: string;
  readonly nb: string;
}

export type Language = keyof Text;

export const LANGUAGES = ['en', 'nb'] as const satisfies readonly Language[];

/**
 * The language of the texts, needed before the command line can be parsed, because the help is written in it:
 * `--lang`, else the locale of the environment, else English.
 */
export function languageOf(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Language {
  const index = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='));
  const argument = args[index];
  const given = argument?.startsWith('--lang=') === true ? argument.slice('--lang='.length) : args[index + 1];
  const named = index === -1 ? undefined : LANGUAGES.find((language) => language === given);
  if (named !== undefined) return named;
  const locale = [env['LC_ALL'], env['LC_MESSAGES'], env['LANG']].find((value) => value !== undefined && value !== '');
  return /^(?:nb|nn|no)(?:[_.@-]|$)/i.test(locale ?? '') ? 'nb' : 'en';
}
