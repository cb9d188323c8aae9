import { BadGatewayException, Injectable } from '@nestjs/common';
import { parseOrganisationNumber } from 'nestjs-maskinporten';
import { HttpService } from '@nestjs/axios';
import { firstValueFrom } from 'rxjs';
import type { NewTransfer, TransferQuery } from './transfer.dto.js';

const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** What Broker gives at most. */
const MAX_TRANSFERS = 100;

/** The ids become parts of addresses, so nothing but ids is taken. @throws BadGatewayException */
export function transferIds(answer: unknown): readonly string[] {
  const ids: unknown = Array.isArray(answer) ? answer : member(answer, 'items');
  if (!Array.isArray(ids) || ids.length > MAX_TRANSFERS || !ids.every(isId)) throw unusable();
  return ids;
}

/** @throws BadGatewayException */
export function readTransfer(answer: unknown): object {
  if (typeof answer !== 'object' || answer === null) throw unusable();
  return answer;
}

/** Sender and recipients, as nine digits. Empty when they cannot be read: then nobody is shown the transfer. */
export function partiesOf(transfer: object): readonly string[] {
  const recipients = member(transfer, 'recipients');
  const named = [
    member(transfer, 'sender'),
    ...(Array.isArray(recipients) ? (recipients as unknown[]).map((each) => member(each, 'recipient')) : []),
  ];
  return named.map((party) => parseOrganisationNumber(party)).filter((party) => party !== undefined);
}

const isId = (value: unknown): value is string => typeof value === 'string' && GUID.test(value);

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;

const unusable = (): BadGatewayException =>
  new BadGatewayException('Broker answered something that is not understood.');

/** Transfers that are read at the same time. */
const AT_ONCE = 10;

export interface Transfers {
  /** As Broker describes them. */
  readonly items: readonly object[];
}

/** Altinn's Broker API: https://docs.altinn.studio/broker/. The calls carry the token of the handler that makes them. */
@Injectable()
export class BrokerService {
  constructor(private readonly http: HttpService) {}

  /**
   * Broker lists ids alone, so each transfer is read before it is shown.
   *
   * @returns the transfers that one of these organisations sends or receives
   */
  async listTransfers({ resourceId, status }: TransferQuery, organisations: readonly string[]): Promise<Transfers> {
    const { data } = await firstValueFrom(this.http.get<unknown>('/filetransfer', { params: { resourceId, status } }));
    const ids = transferIds(data);
    const items: object[] = [];
    for (let from = 0; from < ids.length; from += AT_ONCE) {
      const some = await Promise.all(ids.slice(from, from + AT_ONCE).map(async (id) => this.#transfer(id)));
      items.push(...some.filter((transfer) => partiesOf(transfer).some((party) => organisations.includes(party))));
    }
    return { items };
  }

  async #transfer(id: string): Promise<object> {
    return readTransfer((await firstValueFrom(this.http.get<unknown>(`/filetransfer/${id}`))).data);
  }

  async startTransfer({ sendersReference, sender, recipients, ...transfer }: NewTransfer): Promise<unknown> {
    const body = {
      ...transfer,
      sendersFileTransferReference: sendersReference,
      sender: prefixed(sender),
      recipients: recipients.map(prefixed),
    };
    const { data } = await firstValueFrom(this.http.post<unknown>('/filetransfer', body));
    return data;
  }
}

/** Broker writes organisation numbers with the ISO 6523 code of the Norwegian register in front. */
const prefixed = (organisation: string): string => `0192:${parseOrganisationNumber(organisation) ?? organisation}`;
