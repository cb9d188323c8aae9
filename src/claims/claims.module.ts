import { Module } from '@nestjs/common';
import { apiClient } from '../api-client.js';
import { ClaimsController } from './claims.controller.js';
import { ClaimsService } from './claims.service.js';

@Module({
  imports: [
    apiClient(
      ({ KRAV_OG_BETALINGER_URL }) => KRAV_OG_BETALINGER_URL,
      ({ apiUrl }) => `${apiUrl}/kravogbetalinger/v1`,
    ),
  ],
  controllers: [ClaimsController],
  providers: [ClaimsService],
})
export class ClaimsModule {}
