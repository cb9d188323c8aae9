import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { parseOrganisationNumber } from 'nestjs-maskinporten';
import { firstValueFrom } from 'rxjs';
import type { NewTransfer, TransferQuery } from './transfer.dto.js';

/** Altinn's Broker API: https://docs.altinn.studio/broker/. The calls carry the token of the handler that makes them. */
@Injectable()
export class BrokerService {
  constructor(private readonly http: HttpService) {}

  async listTransfers({ resourceId, status }: TransferQuery): Promise<unknown> {
    const { data } = await firstValueFrom(this.http.get<unknown>('/filetransfer', { params: { resourceId, status } }));
    return data;
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
