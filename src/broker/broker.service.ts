import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { parseOrganisationNumber } from 'nestjs-maskinporten';
import { firstValueFrom } from 'rxjs';
import { partiesOf, readTransfer, transferIds } from './broker-answer.js';
import type { NewTransfer, TransferQuery } from './transfer.dto.js';

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
