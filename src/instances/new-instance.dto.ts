import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsObject, IsOptional } from 'class-validator';

const AN_OBJECT = { message: 'must be an object' };

/** What goes into the form of a new instance. The app decides which members it takes. */
export class NewInstance {
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'Values the app fills in first.' })
  @IsOptional()
  @IsObject(AN_OBJECT)
  prefill?: Record<string, unknown>;

  @ApiPropertyOptional({ type: 'object', additionalProperties: true, description: 'The whole main form.' })
  @IsOptional()
  @IsObject(AN_OBJECT)
  data?: Record<string, unknown>;
}
