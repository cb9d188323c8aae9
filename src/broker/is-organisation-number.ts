import { ValidateBy, type ValidationOptions } from 'class-validator';
import { parseOrganisationNumber } from 'nestjs-maskinporten';

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
