import type { DoctorSetup } from '../../doctor/index.js';
import { parseOrganisationNumber } from '../../grants/index.js';
import { defineCommand } from '../define-command.js';
import { inVariablesThatAreSet } from './doctor-fields.js';
import { doctorLines } from './doctor-report.js';
import { doctorSetup } from './doctor-setup.js';
import { UsageError } from '../exit.js';

interface CustomerOptions {
  readonly organisation?: string | undefined;
  readonly externalRef?: string | undefined;
  readonly resource?: string | undefined;
  readonly action?: string | undefined;
  readonly party?: string | undefined;
}

export const doctor = defineCommand((cli) => ({
  command: 'doctor',
  describe: {
    en: 'Look for what is wrong with the set-up, before the first real call',
    nb: 'Let etter det som er galt i oppsettet, før det første virkelige kallet',
  },
  build: (yargs) =>
    yargs
      .option('scope', {
        type: 'string',
        array: true,
        requiresArg: true,
        describe: cli.text({
          en: 'Scopes that are needed, each asked for by itself (default: those of MASKINPORTEN_SCOPES)',
          nb: 'Scopes som trengs, hvert spurt om for seg (standard: de i MASKINPORTEN_SCOPES)',
        }),
      })
      .option(
        'consumer-org',
        cli.option({
          en: 'Organisation that is acted for by API delegation',
          nb: 'Organisasjon det handles for ved API-delegering',
        }),
      )
      .option('owner', cli.option({ en: 'Organisation that owns the client', nb: 'Organisasjonen som eier klienten' }))
      .option(
        'jwks',
        cli.option({
          en: 'File with the public JWK or JWK set that was uploaded',
          nb: 'Fil med den offentlige JWK-en eller JWK-settet som ble lastet opp',
        }),
      )
      .option(
        'organisation',
        cli.option({
          en: 'Customer whose system user is looked for',
          nb: 'Kunde det letes etter systembruker hos',
        }),
      )
      .option(
        'external-ref',
        cli.option({
          en: 'Reference that the system user was created with',
          nb: 'Referansen systembrukeren ble opprettet med',
        }),
      )
      .option(
        'resource',
        cli.option({
          en: 'Resource that the system user must have a right to',
          nb: 'Ressurs systembrukeren må ha rettighet til',
        }),
      )
      .option(
        'action',
        cli.option({
          en: 'Action on the resource (default: read)',
          nb: 'Handling på ressursen (standard: read)',
        }),
      )
      .option(
        'party',
        cli.option({
          en: 'Who is acted for, when it is a client of the customer',
          nb: 'Hvem det handles for, når det er en klient av kunden',
        }),
      )
      .option('project', {
        type: 'string',
        default: '.',
        requiresArg: true,
        describe: cli.text({
          en: 'Folder whose tracked files and .env are searched for secrets',
          nb: 'Mappe der sporede filer og .env gjennomsøkes for hemmeligheter',
        }),
      }),
  run: async ({ envFile, scope, consumerOrg, owner, jwks, project, ...options }) => {
    const customer = customerOf(options);
    for (const [name, value] of Object.entries({ 'consumer-org': consumerOrg, owner })) checkNumber(name, value);
    const variables = await cli.environment(envFile);
    const setup: DoctorSetup = {
      ...doctorSetup(variables, (path) => cli.path(path)),
      // NAIS tells an application its scopes in this variable.
      scopes: (scope ?? [variables['MASKINPORTEN_SCOPES'] ?? ''])
        .flatMap((entry) => entry.split(/[\s,]+/))
        .filter((entry) => entry !== ''),
      consumerOrg,
      organisation: owner,
      customer,
      project: cli.path(project),
      ...(jwks === undefined ? {} : { uploadedJwks: await cli.readText(jwks) }),
    };
    const { examine } = await import('../../doctor/index.js');
    const diagnosis = await examine(setup, {
      onProgress: ({ title, index, total }) => cli.progress(`${index + 1}/${total} ${cli.text(title)} …`),
    });
    const named = inVariablesThatAreSet(diagnosis, variables);
    const { healthy, cause, findings } = named;
    cli.report({ healthy, cause: cause?.id, findings }, () => doctorLines(cli, named));
    return healthy ? 0 : 1;
  },
}));

/** @throws UsageError for options that make no sense without another, or are not organisation numbers. */
function customerOf({ organisation, ...more }: CustomerOptions): DoctorSetup['customer'] {
  if (organisation === undefined) {
    const [lonely] = Object.entries({
      'external-ref': more.externalRef,
      resource: more.resource,
      action: more.action,
      party: more.party,
    })
      .filter(([, value]) => value !== undefined)
      .map(([name]) => name);
    if (lonely !== undefined) {
      throw new UsageError({
        en: `--${lonely} is about a customer: name it with --organisation.`,
        nb: `--${lonely} handler om en kunde: oppgi den med --organisation.`,
      });
    }
    return undefined;
  }
  checkNumber('organisation', organisation);
  checkNumber('party', more.party);
  const { externalRef, resource, action, party } = more;
  return { organisation: parseOrganisationNumber(organisation) ?? organisation, externalRef, resource, action, party };
}

function checkNumber(option: string, value: string | undefined): void {
  if (value === undefined || parseOrganisationNumber(value) !== undefined) return;
  throw new UsageError({
    en: `--${option} must be an organisation number: nine digits that pass modulus 11.`,
    nb: `--${option} må være et organisasjonsnummer: ni sifre som består modulus 11.`,
  });
}
