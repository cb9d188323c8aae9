import { Module } from '@nestjs/common';
import { apiClient } from '../api-client.js';
import { ALTINN_APP_PATH } from '../config/index.js';
import { InstancesController } from './instances.controller.js';
import { InstancesService } from './instances.service.js';

@Module({
  imports: [
    apiClient(
      ({ ALTINN_APP_URL }) => ALTINN_APP_URL,
      ({ apiUrl }) => `${apiUrl}${ALTINN_APP_PATH}`,
    ),
  ],
  controllers: [InstancesController],
  providers: [InstancesService],
})
export class InstancesModule {}
