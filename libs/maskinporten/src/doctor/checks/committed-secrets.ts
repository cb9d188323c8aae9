import type { Hint } from '../../errors/index.js';
import type { Check } from '../examination.js';
import {
  failed,
  good,
  skipped,
  warning,
  words,
  type Complaint,
  type Finding,
  type Topic,
} from '../../findings/index.js';
import { listProject, readProjectFile, type ProjectFile } from '../project-files.js';
import { findSecrets, type SecretKind } from '../secret-scan.js';

const TOPIC: Topic = { id: 'secrets', title: words('Secrets in the project', 'Hemmeligheter i prosjektet') };
/** More would bury the rest of the report. */
const MAX_REPORTED = 10;
const KEY_STORE = /\.(?:p12|pfx)$/i;

interface Leak {
  readonly file: ProjectFile;
  readonly kind: SecretKind | 'key-store';
  readonly line?: number;
}

/** Looks for private keys and tokens in files that are under version control, and in `.env` files. */
export async function checkCommittedSecrets(folder: string): Promise<readonly Finding[]> {
  const { underGit, files } = await listProject(folder);
  const leaks: Leak[] = [];
  for (const file of files) {
    const content = await readProjectFile(folder, file.path);
    if (content === undefined) continue;
    leaks.push(...leaksOf(file, content));
  }
  const reported = leaks.slice(0, MAX_REPORTED).map((leak) => findingOf(leak, underGit));
  if (reported.length > 0) return reported;
  if (!underGit) {
    return [
      skipped(
        TOPIC,
        words(
          'No git repository can be read here (or git is not installed), so tracked files were not looked at; the .env files hold no key and no token.',
          'Ikke noe git-arkiv kan leses her (eller git er ikke installert), så sporede filer er ikke undersøkt; .env-filene inneholder verken nøkkel eller token.',
        ),
      ),
    ];
  }
  return [
    good(
      TOPIC,
      words(
        `No private key and no token in ${files.length} files.`,
        `Verken privat nøkkel eller token i ${files.length} filer.`,
      ),
    ),
  ];
}

function leaksOf(file: ProjectFile, content: Buffer): readonly Leak[] {
  // DER begins with a SEQUENCE of a length in two bytes.
  if (KEY_STORE.test(file.path)) return content[0] === 0x30 ? [{ file, kind: 'key-store' }] : [];
  if (content.includes(0)) return [];
  return findSecrets(content.toString('utf8')).map(({ kind, line }) => ({ file, kind, line }));
}

function findingOf({ file, kind, line }: Leak, underGit: boolean): Finding {
  const place = `${printable(file.path)}${line === undefined ? '' : `:${line}`}`;
  const what = WHAT[kind];
  if (file.tracked) {
    return failed(TOPIC, {
      kind: 'committed',
      cause: words(
        `${place} holds ${what.en} and is under version control: everybody who has the code has it.`,
        `${place} inneholder ${what.nb} og er under versjonskontroll: alle som har koden, har den.`,
      ),
      fix: kind === 'token' ? NO_TOKEN : NEW_KEY,
      field: fieldOf(kind),
      pitfall: 19,
    });
  }
  if (kind === 'token') {
    return failed(TOPIC, {
      kind: 'hard-coded',
      cause: words(
        `${place} holds ${what.en}: it lives for minutes, and then every call fails.`,
        `${place} inneholder ${what.nb}: det lever i minutter, og så feiler alle kall.`,
      ),
      fix: NO_TOKEN,
      field: fieldOf(kind),
      pitfall: 19,
    });
  }
  return warning(TOPIC, {
    kind: 'environment-file',
    cause: words(
      `${place} holds ${what.en}${underGit ? ' and lies in the project, though not under version control' : ''}.`,
      `${place} inneholder ${what.nb}${underGit ? ' og ligger i prosjektet, om enn ikke under versjonskontroll' : ''}.`,
    ),
    fix: words(
      'Keep the key in a file outside the project, name it in MASKINPORTEN_PRIVATE_KEY_FILE, and keep .env in .gitignore.',
      'Ha nøkkelen i en fil utenfor prosjektet, oppgi den i MASKINPORTEN_PRIVATE_KEY_FILE, og ha .env i .gitignore.',
    ),
    field: 'MASKINPORTEN_PRIVATE_KEY',
    pitfall: 19,
  });
}

const WHAT: Readonly<Record<Leak['kind'], Hint>> = {
  'private-key': words('a private key', 'en privat nøkkel'),
  'private-jwk': words('a private JWK', 'en privat JWK'),
  'key-store': words('a PKCS#12 key store', 'et PKCS#12-nøkkellager'),
  token: words('an access token', 'et tilgangstoken'),
};

const NEW_KEY: Complaint['fix'] = words(
  'Take the key out of use: make a new one, remove the old from the client, then delete it from the repository and its history.',
  'Ta nøkkelen ut av bruk: lag en ny, fjern den gamle fra klienten, og slett den så fra arkivet og historikken.',
);
const NO_TOKEN: Complaint['fix'] = words(
  'Delete the token and let the module get tokens: @Scopes on the handler, or getToken.',
  'Slett tokenet og la modulen hente tokens: @Scopes på handleren, eller getToken.',
);

const fieldOf = (kind: Leak['kind']): string => (kind === 'token' ? 'token' : 'MASKINPORTEN_PRIVATE_KEY');

/** A file name may hold anything but a null byte, terminal codes included. */
const printable = (path: string): string => path.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '?').slice(0, 200);

export const committedSecrets: Check = {
  ...TOPIC,
  run: async ({ setup: { project } }) =>
    project === undefined
      ? [skipped(TOPIC, words('No project folder was given.', 'Ingen prosjektmappe er oppgitt.'))]
      : checkCommittedSecrets(project),
};
