import {
  ValidateBy,
  type ValidationOptions,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsOptional,
  Matches,
} from 'class-validator';
import { parseOrganisationNumber } from 'nestjs-maskinporten';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** Nine digits that pass modulus 11, with or without `0192:`. */
export const IsOrganisationNumber = (options?: ValidationOptions): PropertyDecorator =>
  ValidateBy(
    {
      name: 'isOrganisationNumber',
      validator: {
        validate: (value) => parseOrganisationNumber(value) !== undefined,
        defaultMessage: () => 'must be an organisation number',
      },
    },
    options,
  );

const RESOURCE_ID = { message: 'must be the id of a Broker resource' };

/** Which transfers to list. */
export class TransferQuery {
  @ApiPropertyOptional()
  @Matches(/^[\w-]{1,255}$/, RESOURCE_ID)
  @IsOptional()
  resourceId?: string;

  @ApiPropertyOptional()
  @IsOptional()
  @Matches(/^[A-Za-z]{1,40}$/, { message: 'must be the name of a status' })
  status?: string;
}

/** A transfer to begin. */
export class NewTransfer {
  @ApiProperty()
  @Matches(/^[\w-]{1,255}$/, RESOURCE_ID)
  resourceId!: string;

  @ApiProperty()
  @Matches(/^[^\p{Cc}/\\]{1,255}$/u, { message: 'must be a file name without a path' })
  fileName!: string;

  @ApiProperty()
  @Matches(/^[^\p{Cc}]{1,4096}$/u, { message: 'must be your own reference' })
  sendersReference!: string;

  @ApiProperty({ description: 'Organisation number' })
  @IsOrganisationNumber()
  sender!: string;

  @ApiProperty({ type: [String], description: 'Organisation numbers' })
  @IsArray({ message: 'must be a list of organisation numbers' })
  @ArrayMinSize(1, { message: 'must name at least one organisation' })
  @ArrayMaxSize(100, { message: 'must name at most 100 organisations' })
  @IsOrganisationNumber({ each: true })
  recipients!: string[];
}
