// A process of its own, so that its memory is only its own: gets a token for each of many organisations at once.
import { CLIENTS, type ClientName, type ClientSetup } from '../clients/client.js';
import { takeOrganisations } from '../measure/organisations.js';
import { watchProcess, type Disturbance } from '../measure/process-watch.js';

export interface BurstSettings {
  readonly client: ClientName;
  readonly setup: ClientSetup;
  readonly keys: number;
}

export interface BurstResult extends Disturbance {
  readonly tokens: number;
  readonly failures: number;
  readonly firstFailure?: string;
  readonly peakRssMb: number;
  /** The same when the client was loaded and had one token. */
  readonly rssBeforeMb: number;
}

const peakRssMb = (): number => process.resourceUsage().maxRSS / 1_024;

const { client: name, setup, keys } = JSON.parse(process.env['BENCH_SETTINGS'] ?? '{}') as BurstSettings;
const client = await CLIENTS[name](setup);
// One token first: the burst of a service that is up, not of one that loads its modules.
await client.get();
const rssBeforeMb = peakRssMb();
const orgs = takeOrganisations(keys);
let outcomes: PromiseSettledResult<unknown>[] = [];
const disturbance = await watchProcess(async () => {
  outcomes = await Promise.allSettled(orgs.map(async (organisation) => client.get(organisation)));
});
const failed = outcomes.filter(({ status }) => status === 'rejected');
const result: BurstResult = {
  ...disturbance,
  tokens: outcomes.length - failed.length,
  failures: failed.length,
  ...(failed[0]?.status === 'rejected' ? { firstFailure: String(failed[0].reason) } : {}),
  peakRssMb: peakRssMb(),
  rssBeforeMb,
};
process.send?.(result);
await client.close();
process.disconnect();
