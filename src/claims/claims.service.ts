import { randomUUID } from 'node:crypto';
import { HttpService } from '@nestjs/axios';
import { Injectable } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';

/**
 * Skatteetaten's Krav og betalinger, profile `regnskapssystem`, which is for system users:
 * https://skatteetaten.github.io/api-dokumentasjon/. It takes Maskinporten's token as it is.
 */
@Injectable()
export class ClaimsService {
  constructor(private readonly http: HttpService) {}

  /** What the organisation owes, not yet paid in full. */
  async openClaims(organisation: string): Promise<unknown> {
    const { data } = await firstValueFrom(
      this.http.get<unknown>(`/regnskapssystem/${organisation}/aapnekrav`, {
        headers: { accept: 'application/json', Korrelasjonsid: randomUUID() },
      }),
    );
    return data;
  }
}
